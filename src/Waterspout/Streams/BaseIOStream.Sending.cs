using Waterspout.Diagnostics;
using Waterspout.Writes;

namespace Waterspout;

// The owner's part of sending: when it happens, and its consequences. WriteHalf has the rest, and the theory.
public abstract partial class BaseIOStream
{
    // Memory stays short for longer than a turn, but seldom for longer than this.
    private static readonly TimeSpan s_sendPause = TimeSpan.FromMilliseconds(10);

    private WriteHalf _writes = new();

    /// <summary>Bytes that wait to be sent.</summary>
    internal long Unsent => _writes.Unsent;

    /// <summary>The position in the stream after everything that has been sent.</summary>
    internal long SentPosition => _writes.SentPosition;

    /// <summary>The position in the stream after everything that has been written.</summary>
    internal long WrittenPosition => _writes.WrittenPosition;

    /// <summary>
    /// Sends what the descriptor accepts. Called at the end of a turn, when it has become writable, or when much is waiting.
    /// </summary>
    internal void FlushWrites()
    {
        TakeStaged();
        _writes.IsFlushQueued = false;
        RegisterAtFirstUse();
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

    /// <summary>Registers the descriptor if that is still to be done, and sends at the end of the turn.</summary>
    private protected void QueueFlush()
    {
        if (_writes.IsFlushQueued) return;
        RegisterAtFirstUse();
        _writes.IsFlushQueued = true;
        Loop.FlushAtEndOfTurn(this);
    }

    /// <summary>Before a write: the error, if it may not begin.</summary>
    private Exception? BeginWrite(long length, CancellationToken cancellationToken)
    {
        TakeStaged();
        return RefuseWrite(length, cancellationToken);
    }

    private Exception? RefuseWrite(long length, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return new OperationCanceledException(cancellationToken);
        if (RefuseWrite() is { } refusal) return refusal;
        if (length <= Options.MaxWriteBufferSize - Unsent) return null;
        return new StreamBufferFullException(
            $"{length} bytes more would pass {nameof(Options.MaxWriteBufferSize)}, which is {Options.MaxWriteBufferSize}; "
            + $"{Unsent} wait to be sent.");
    }

    private Exception? RefuseWrite()
    {
        if (_state.EndsWrites) return RefusedException();
        return _state.WriteEnd == WriteEnd.Open ? null : WritesCompleted();
    }

    private static InvalidOperationException WritesCompleted() => new("The writes of this stream have been completed.");

    private ValueTask FinishWrite(bool isCopied, CancellationToken cancellationToken)
    {
        // The caller's own memory must be sent completely before the write completes; copies may stay buffered.
        int mayStay = isCopied ? Options.WriteHighWaterMark : 0;
        if (Unsent <= mayStay)
        {
            QueueFlush();
            return default;
        }

        long position = WrittenPosition - mayStay;
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

    // Something is unsent, so a send has blocked, which has rooted the stream, or will be made.
    private ValueTask WaitUntilSent(long position, bool isFlush, CancellationToken cancellationToken) =>
        _writes.WaitAsync(this, position, isFlush, cancellationToken);

    /// <summary>Before the stream closes, sends what the descriptor accepts at once.</summary>
    /// <returns>The error, if sending failed.</returns>
    private Exception? SendLast()
    {
        TakeStaged();
        if (Unsent == 0 || _writes.IsSending || !_state.CanSend) return null;
        // Without a limit, since there is no next turn. The descriptor may have become writable without a handled event.
        _state.MarkWritable();
        _writes.LiftBudget(Loop.Turn);
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

    /// <summary>The next turn sends what this turn's budget left.</summary>
    private void ResumeSendingLater()
    {
        if (_writes.IsResumeQueued) return;
        _writes.IsResumeQueued = true;
        Loop.TryPost(this, static stream =>
        {
            stream._writes.IsResumeQueued = false;
            stream.FlushWrites();
            stream.AfterUserCode();
        });
    }

    /// <summary>
    /// The result of a write for which the system has no memory: it is retried after a pause, since there is no event for that.
    /// </summary>
    private protected int? TryAgainLater()
    {
        // There is no retry once the loop has ended.
        if (_writes.IsPaused || Loop.IsDisposed) return null;
        _writes.IsPaused = true;
        Loop.CallLater(s_sendPause, () =>
        {
            _writes.IsPaused = false;
            HandleReport(IOEvents.Write);
        });
        return null;
    }

    private void OnWriteTimeout(string limit)
    {
        Loop.Counters.Timeouts[(int)TimedOperation.Write]++;
        Fail(CloseReason.Timeout, new TimeoutException(limit));
    }

    /// <summary>Wakes the writers whose data has been sent, from the loop's queue: this may be inside a user's call.</summary>
    private void ReleaseWriters()
    {
        while (_writes.TakeReleased() is { } operation) Release(operation, null);
        if (_writes.TakeCallback() is { } callback) RunCallbackLater(callback);
    }

    // Each with its own error: a shared one would grow by a stack trace with each throw.
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

    /// <summary>Called by the token of a write or flush, on any thread.</summary>
    void IWriteOwner.RequestCancelWrite(WriteOperation operation, short version, CancellationToken token) =>
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
}
