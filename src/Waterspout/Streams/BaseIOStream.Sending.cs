using System.Diagnostics;
using System.Runtime.CompilerServices;
using Waterspout.Diagnostics;
using Waterspout.Interop;
using Waterspout.Loop;
using Waterspout.Writes;

namespace Waterspout;

public abstract partial class BaseIOStream
{
    // What one stream may send within a turn. The kernel takes less than this before it says that it is full, except on
    // a loopback whose reader keeps up.
    private const int SendBudget = 1024 * 1024;

    // Memory is short for longer than a turn, and seldom for longer than this.
    private static readonly TimeSpan s_sendPause = TimeSpan.FromMilliseconds(10);

    private WriteBuffer? _writeBuffer; // while there is something to send
    private WriteWaiters? _writeWaiters; // once somebody has waited
    private Deadline? _writeDeadline;
    private long _sent;
    private bool _isFlushQueued;
    private bool _isSendPaused; // the system has no memory, and no event when it has

    [InlineArray(FileDescriptors.MaxGather)]
    private struct Pieces
    {
        private ReadOnlyMemory<byte> _first;
    }

    /// <summary>Writing goes to the form for several pieces also where there is one, since that gets memory and not a span.</summary>
    private protected virtual bool WritesMemory => false;

    /// <summary>Nothing waits to be sent.</summary>
    internal bool IsFlushed => Unsent == 0;

    private WriteBuffer WriteBuffer => _writeBuffer ??= WriteBuffer.Rent();

    private WriteWaiters WriteWaiters => _writeWaiters ??= new WriteWaiters();

    /// <summary>Bytes that wait to be sent.</summary>
    internal long Unsent => _writeBuffer?.Length ?? 0;

    /// <summary>The position in the stream behind everything that has been written.</summary>
    internal long WrittenPosition => _sent + Unsent;

    /// <summary>Hands to the descriptor what it takes. At the end of a turn, when it has become writable, or when much is waiting.</summary>
    internal void FlushWrites()
    {
        _isFlushQueued = false;
        if (!_state.CanSend) return;
        try
        {
            Send(SendBudget);
        }
        catch (Exception error)
        {
            Fail(error);
            return;
        }

        ReturnWriteBuffer();
        ReleaseWriters();
        if (_state.IsEofAnnounced && Unsent == 0) ProbeForEofLater();
    }

    /// <summary>Starts watching the descriptor if that is still to be done, and sends what was written meanwhile.</summary>
    private protected void QueueFlush()
    {
        if (_isFlushQueued) return;
        if (_state.IsNew && !IsConnecting) EnsureRegistered();
        _isFlushQueued = true;
        Loop.FlushAtEndOfTurn(this);
    }

    /// <summary>Takes data of any amount, to be sent at the end of the turn or when the descriptor takes it.</summary>
    internal void WriteWithoutWaiting(ReadOnlySpan<byte> data)
    {
        if (_state.EndsWrites || _state.WriteEnd != WriteEnd.Open) return;
        WriteBuffer.Append(data);
        QueueFlush();
    }

    /// <summary>As <see cref="WriteWithoutWaiting"/>; but large data that nothing is in the way of is sent now, from where it is. Throws what the descriptor does.</summary>
    internal void WriteThrough(ReadOnlySpan<byte> data)
    {
        if (data.Length >= SmallestUncopied && _state.IsWritable && Unsent == 0 && _state.IsOpen)
            data = data[OnSent(WriteToFd(data), data.Length)..];
        if (!data.IsEmpty) WriteWithoutWaiting(data);
    }

    private void ReturnWriteBuffer()
    {
        if (_writeBuffer is not { IsUnused: true } buffer) return;
        _writeBuffer = null;
        buffer.Return();
    }

    private Exception? RefuseWrite(long length, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return new OperationCanceledException(cancellationToken);
        if (_state.EndsWrites) return RefusedException();
        if (_state.WriteEnd != WriteEnd.Open) return WritesCompleted();
        if (length <= Options.MaxWriteBufferSize - Unsent) return null;
        return new StreamBufferFullException(
            $"{length} bytes more would pass {nameof(Options.MaxWriteBufferSize)}, which is {Options.MaxWriteBufferSize}; {Unsent} wait to be sent.");
    }

    private static InvalidOperationException WritesCompleted() => new("The writes of this stream have been completed.");

    private ValueTask FinishWrite(bool isCopied, CancellationToken cancellationToken)
    {
        // Data of the caller's has to be gone before he has it back; of copies some may stay.
        int mayStay = isCopied ? Options.WriteHighWaterMark : 0;
        if (Unsent <= mayStay)
        {
            QueueFlush();
            return default;
        }

        long position = WrittenPosition - mayStay;
        if (_state.IsNew && !IsConnecting) EnsureRegistered();
        FlushWrites();
        if (_state.HasDroppedWrites) return ValueTask.FromException(ClosedException());
        return _sent >= position ? default : WaitUntilSent(position, isFlush: false, cancellationToken);
    }

    private ValueTask FlushCore(CancellationToken cancellationToken)
    {
        if (Unsent == 0) return default;
        long position = WrittenPosition;
        FlushWrites();
        if (_state.HasDroppedWrites) return ValueTask.FromException(ClosedException());
        return _sent >= position ? default : WaitUntilSent(position, isFlush: true, cancellationToken);
    }

    private ValueTask WaitUntilSent(long position, bool isFlush, CancellationToken cancellationToken)
    {
        ValueTask task = WriteWaiters.Add(this, position, isFlush, cancellationToken);
        UpdateRoot();
        return task;
    }

    /// <summary>Before the stream closes, hands to the descriptor what it takes at once. Without a budget: there is no next turn.</summary>
    /// <returns>The error, if it ended by one.</returns>
    private Exception? SendLast()
    {
        if (Unsent == 0 || _isSending || !_state.CanSend) return null;
        AssumeWritable();
        Exception? error = null;
        try
        {
            Send(long.MaxValue);
        }
        catch (Exception thrown)
        {
            error = thrown;
        }

        ReleaseWriters();
        return error;
    }

    /// <summary>The descriptor may have become writable since it was full, and the event that says so be on its way.</summary>
    internal virtual void AssumeWritable() => _state.MarkWritable();

    private void Send(long budget)
    {
        _isSending = true;
        try
        {
            SendWithin(budget);
        }
        finally
        {
            _isSending = false;
        }
    }

    private void SendWithin(long budget)
    {
        while (_state.IsWritable && _writeBuffer is { Length: > 0 } buffer)
        {
            if (budget <= 0)
            {
                Loop.TryPost(this, static stream => stream.ResumeSending());
                return;
            }

            budget -= SendOnce(buffer);
        }

        if (Unsent == 0) _writeDeadline?.Clear();
    }

    /// <summary>The next turn for a stream that had spent its budget.</summary>
    private void ResumeSending()
    {
        FlushWrites();
        UpdateRoot();
    }

    private int SendOnce(WriteBuffer buffer)
    {
        int? count = buffer.IsScattered || WritesMemory ? SendPieces(buffer, out int offered) : SendPiece(buffer, out offered);
        int sent = OnSent(count, offered);
        // Not the buffer that was sent from: if the hook has closed the stream, that is another stream's by now.
        _writeBuffer?.Consume(sent);
        return sent;
    }

    private int OnSent(int? count, int offered)
    {
        int sent = count ?? 0;
        Debug.Assert(sent <= offered, "More was sent than was offered.");
        _sent += sent;
        if (!_registration.IsNone) Loop.Counters.BytesOut += sent;
        if (sent == 0 || (sent < offered && ShortMeansBlocked)) WaitWritable(sent > 0);
        return sent;
    }

    private int? SendPiece(WriteBuffer buffer, out int offered)
    {
        ReadOnlySpan<byte> data = buffer.First;
        offered = data.Length;
        return WriteToFd(data);
    }

    // Apart from the other form, which is the usual one, because of the memory that has to be cleared for the pieces.
    private int? SendPieces(WriteBuffer buffer, out int offered)
    {
        Pieces pieces = default;
        int count = buffer.Gather(pieces, out offered);
        return WriteToFd(((ReadOnlySpan<ReadOnlyMemory<byte>>)pieces)[..count]);
    }

    /// <summary>What a write returns when the system has no memory for it: it is tried again after a pause, since there is no event for that.</summary>
    private protected int? TryAgainLater()
    {
        // At the end of the loop nothing is.
        if (_isSendPaused || Loop.IsDisposed) return null;
        _isSendPaused = true;
        Loop.CallLater(s_sendPause, () =>
        {
            _isSendPaused = false;
            HandleEvents(IOEvents.Write);
        });
        return null;
    }

    // Less than was offered means that the kernel is full, and that it will tell when it is not.
    private void WaitWritable(bool hasProgressed)
    {
        bool isNew = _state.IsWritable;
        _state.ClearWritable();
        // During a pause the descriptor may well be reported as writable, again and again.
        if (!_registration.IsNone && !_isSendPaused) Loop.Rearm(_registration, IOEvents.Write, Traits);
        UpdateRoot();
        if (Options.WriteTimeout is not { } timeout) return;
        _writeDeadline ??= new Deadline(Loop, timeout, OnWriteTimeout);
        if (isNew || hasProgressed) _writeDeadline.Restart();
    }

    private void OnWriteTimeout() =>
        Fail(CloseReason.Timeout, new TimeoutException($"The peer took no data for {Options.WriteTimeout}."));

    /// <summary>Wakes those whose data has been sent, from the loop's queue: this may be inside some user's call.</summary>
    private void ReleaseWriters()
    {
        if (_writeWaiters is not { } waiters) return;
        while (waiters.TryTake(_sent, out WriteOperation? operation)) Release(operation, null);
        if (waiters.TakeCallback(_sent) is { } callback) RunCallbackLater(callback);
    }

    // Each with an error of its own: one that is thrown by all of them would grow by a stack trace at each.
    private void FailWriters()
    {
        if (_writeWaiters is not { } waiters) return;
        _writeWaiters = null;
        while (waiters.TryTake(long.MaxValue, out WriteOperation? operation)) Release(operation, ClosedException());
    }

    private void Release(WriteOperation operation, Exception? error)
    {
        operation.Finish(error);
        Loop.TryPost(operation, static operation => operation.Signal());
    }

    /// <summary>Called, on any thread, by the token of a write or flush.</summary>
    internal void RequestCancelWrite(WriteOperation operation, short version, CancellationToken token) =>
        Loop.TryPost((Stream: this, operation, version, token), static call =>
        {
            if (call.operation.Version == call.version) call.Stream.CancelWrite(call.operation, call.token);
        });

    private void CancelWrite(WriteOperation operation, CancellationToken token)
    {
        if (_writeWaiters?.Remove(operation) != true) return;
        OperationCanceledException error = new(token);
        bool isFlush = operation.IsFlush;
        Release(operation, error);
        if (!isFlush) CloseNow(CloseReason.Local, error);
    }

    private async ValueTask CompleteWritesCoreAsync(CancellationToken cancellationToken)
    {
        Task ending = EndWritesAsync();
        // The wait may be cancelled, and the end is told all the same. If it fails then, the close says so.
        if (cancellationToken.CanBeCanceled) ending.IgnoreFailure();
        await ending.WaitAsync(cancellationToken);
    }

    private async Task EndWritesAsync()
    {
        _state.BeginWriteEnd();
        await FlushWhenConnectedAsync(default);
        if (_state.HasDroppedWrites) throw ClosedException();
        if (!ShutdownWrites())
        {
            _state.CancelWriteEnd();
            throw new NotSupportedException("This descriptor cannot be closed in one direction.");
        }

        _state.CompleteWriteEnd();
        await WriteEndSent;
        if (_state.IsEofReceived) CloseNow(EofReason);
        else if (_state.IsEofAnnounced) ProbeForEofLater();
    }

    /// <summary>A flush that also waits for a connection that is being made, even where nothing has been written.</summary>
    private protected virtual ValueTask FlushWhenConnectedAsync(CancellationToken cancellationToken) => FlushCore(cancellationToken);
}
