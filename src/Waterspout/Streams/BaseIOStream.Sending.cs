using Waterspout.Diagnostics;
using Waterspout.Loop;
using Waterspout.Writes;

namespace Waterspout;

// The owner's part of sending: when it happens, and what follows from it. How, and the theory, is in WriteHalf.
public abstract partial class BaseIOStream : IHalfOwner
{
    // Memory is short for longer than a turn, and seldom for longer than this.
    private static readonly TimeSpan s_sendPause = TimeSpan.FromMilliseconds(10);

    private WriteHalf _writes = new();

    /// <summary>Writing goes to the form for several pieces also where there is one, since that gets memory and not a span.</summary>
    private protected virtual bool WritesMemory => false;

    /// <summary>Nothing waits to be sent.</summary>
    internal bool IsFlushed => Unsent == 0;

    /// <summary>Bytes that wait to be sent.</summary>
    internal long Unsent => _writes.Unsent;

    /// <summary>The position in the stream behind everything that has been written.</summary>
    internal long WrittenPosition => _writes.WrittenPosition;

    DescriptorTraits IHalfOwner.Traits => Traits;

    bool IHalfOwner.SendsMemory => WritesMemory;

    /// <summary>Hands to the descriptor what it takes. At the end of a turn, when it has become writable, or when much is waiting.</summary>
    internal void FlushWrites()
    {
        _writes.IsFlushQueued = false;
        if (!_state.CanSend) return;
        try
        {
            if (!_writes.Send(this, ref _state, Loop.Turn)) ResumeSendingLater();
        }
        catch (Exception error)
        {
            Fail(error);
            return;
        }

        _writes.ReturnBuffer();
        ReleaseWriters();
        if (_state.IsEofAnnounced && Unsent == 0) ProbeForEofLater();
    }

    /// <summary>Starts watching the descriptor if that is still to be done, and sends what was written meanwhile.</summary>
    private protected void QueueFlush()
    {
        if (_writes.IsFlushQueued) return;
        if (_state.IsNew && !IsConnecting) EnsureRegistered();
        _writes.IsFlushQueued = true;
        Loop.FlushAtEndOfTurn(this);
    }

    /// <summary>Takes data of any amount, to be sent at the end of the turn or when the descriptor takes it.</summary>
    internal void WriteWithoutWaiting(ReadOnlySpan<byte> data)
    {
        if (_state.EndsWrites || _state.WriteEnd != WriteEnd.Open) return;
        _writes.Append(data);
        QueueFlush();
    }

    /// <summary>As <see cref="WriteWithoutWaiting"/>; but large data that nothing is in the way of is sent now, from where it is. Throws what the descriptor does.</summary>
    internal void WriteThrough(ReadOnlySpan<byte> data)
    {
        if (data.Length >= SmallestUncopied && _state.IsWritable && Unsent == 0 && _state.IsOpen)
            data = data[_writes.SendDirectly(this, ref _state, data)..];
        if (!data.IsEmpty) WriteWithoutWaiting(data);
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
        return _writes.SentPosition >= position ? default : WaitUntilSent(position, isFlush: false, cancellationToken);
    }

    private ValueTask FlushCore(CancellationToken cancellationToken)
    {
        if (Unsent == 0) return default;
        long position = WrittenPosition;
        FlushWrites();
        if (_state.HasDroppedWrites) return ValueTask.FromException(ClosedException());
        return _writes.SentPosition >= position ? default : WaitUntilSent(position, isFlush: true, cancellationToken);
    }

    private ValueTask WaitUntilSent(long position, bool isFlush, CancellationToken cancellationToken)
    {
        ValueTask task = _writes.WaitAsync(this, position, isFlush, cancellationToken);
        UpdateRoot();
        return task;
    }

    /// <summary>Before the stream closes, hands to the descriptor what it takes at once.</summary>
    /// <returns>The error, if it ended by one.</returns>
    private Exception? SendLast()
    {
        if (Unsent == 0 || _writes.IsSending || !_state.CanSend) return null;
        PrepareLastSend();
        Exception? error = null;
        try
        {
            _writes.Send(this, ref _state, Loop.Turn);
        }
        catch (Exception thrown)
        {
            error = thrown;
        }

        ReleaseWriters();
        return error;
    }

    /// <summary>The last send has no limit, since there is no next turn. The descriptor may have become writable, and the event not be here yet.</summary>
    internal virtual void PrepareLastSend()
    {
        _state.MarkWritable();
        _writes.LiftBudget(Loop.Turn);
    }

    int? IHalfOwner.Send(ReadOnlySpan<byte> data) => WriteToFd(data);

    int? IHalfOwner.Send(ReadOnlySpan<ReadOnlyMemory<byte>> pieces) => WriteToFd(pieces);

    void IHalfOwner.OnSent(int count)
    {
        if (!_registration.IsNone) Loop.Counters.BytesOut += count;
    }

    void IHalfOwner.OnSendBlocked(bool isNews)
    {
        // During a pause the descriptor may well be reported as writable, again and again.
        if (!_registration.IsNone && !_writes.IsPaused) Loop.Rearm(_registration, IOEvents.Write, Traits);
        UpdateRoot();
        if (isNews && Options.WriteTimeout is { } timeout) (_writes.Deadline ??= new Deadline(Loop, timeout, OnWriteTimeout)).Restart();
    }

    /// <summary>The next turn is for what the budget of this one left.</summary>
    private void ResumeSendingLater()
    {
        if (_writes.IsResumeQueued) return;
        _writes.IsResumeQueued = true;
        Loop.TryPost(this, static stream =>
        {
            stream._writes.IsResumeQueued = false;
            stream.FlushWrites();
            stream.UpdateRoot();
        });
    }

    /// <summary>What a write returns when the system has no memory for it: it is tried again after a pause, since there is no event for that.</summary>
    private protected int? TryAgainLater()
    {
        // At the end of the loop nothing is.
        if (_writes.IsPaused || Loop.IsDisposed) return null;
        _writes.IsPaused = true;
        Loop.CallLater(s_sendPause, () =>
        {
            _writes.IsPaused = false;
            HandleEvents(IOEvents.Write);
        });
        return null;
    }

    private void OnWriteTimeout() =>
        Fail(CloseReason.Timeout, new TimeoutException($"The peer took no data for {Options.WriteTimeout}."));

    /// <summary>Wakes those whose data has been sent, from the loop's queue: this may be inside some user's call.</summary>
    private void ReleaseWriters()
    {
        while (_writes.TakeReleased() is { } operation) Release(operation, null);
        if (_writes.TakeCallback() is { } callback) RunCallbackLater(callback);
    }

    // Each with an error of its own: one that is thrown by all of them would grow by a stack trace at each.
    private void FailWriters()
    {
        if (_writes.TakeWaiters() is not { } waiters) return;
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
        if (!_writes.Remove(operation)) return;
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
