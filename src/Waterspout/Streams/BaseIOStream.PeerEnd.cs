using Waterspout.Reads;

namespace Waterspout;

// The end of the peer's side: when it is known, when it has been received, and what becomes of the pending read and of the stream.
public abstract partial class BaseIOStream
{
    /// <summary>The peer's EOF does not close the stream, since this side may still write.</summary>
    private bool StaysHalfOpen => Options.AllowHalfOpen && _state.WriteEnd == WriteEnd.Open;

    /// <summary>EOF has been received: nothing comes after it.</summary>
    private void ReceiveEof()
    {
        if (_state.IsClosed) return;
        // After a kept error, the descriptor returns EOF merely because it has nothing else to return.
        if (IsFailing && !IsEofInData) _state.ClearReadable();
        else _state.ReceiveEof();
        if (IsFailing) CloseByError(Error!);
        if (_state.IsClosed) return;
        bool staysOpen = _state.IsClosing || StaysHalfOpen;
        if (!staysOpen) CloseAtEof();
        else if (_reads.Pending is { } read && CompleteAtEof(read)) CompleteReadLater(read);
    }

    /// <summary>EOF has been received, after everything before it, and closes the stream.</summary>
    private void CloseAtEof()
    {
        if (Unsent > 0) FlushWrites();
        if (_state.IsClosed) return;
        bool isSent = Unsent == 0 && (!IsEofInData || !TryEndWrites() || WriteEndSent.IsCompleted);
        if (isSent || (Unsent > 0 && _writes.HasWaiters))
            CloseNow(EofReason);
        else
            // Everything was accepted, and no waiter can report a loss, and the peer may still be reading: so flush first.
            _closing = CloseInOrderAsync(EofReason, s_defaultCloseTimeout);
    }

    /// <summary>If nothing more can arrive, completes the read with what there is, or fails it with the reason.</summary>
    private bool CompleteAtEof(ReadOperation read)
    {
        if (!_state.EndsReads && !_state.IsEofReceived) return false;
        if (HasRegularEof && (read.EofIsAResult || !_state.IsEofReturned) && _reads.RunAtEof(read) == ReadProgress.Finished)
            _state.ReturnEof();
        else
            _reads.Fail(read, EofError(read));
        return true;
    }

    private Exception EofError(ReadOperation read)
    {
        if (HasRegularEof && read.Truncation(_reads.Buffer) is { } truncation) return truncation;
        return _state.EndsReads ? ClosedException() : new StreamClosedException(EofReason);
    }

    /// <summary>Nothing more will arrive, and nothing is missing.</summary>
    private bool HasRegularEof => _state.IsEofReceived && EofReason == CloseReason.EndOfStream;

    /// <summary>Takes what is left in the buffer after EOF.</summary>
    private ValueTask<byte[]> ReadRestAsync() =>
        Loop.IsCurrent
            ? new ValueTask<byte[]>(_reads.Buffer.TakeArray(_reads.Buffer.Length))
            : ReadOffLoop(false, static (stream, _) => stream.ReadRestAsync());

    /// <summary>When the peer's EOF is known and no read is pending, checks whether there is data before it.</summary>
    /// <remarks>
    /// EOF is signalled at once, by the token and the reason. The stream itself stays open while there is data before EOF, so that a peer
    /// that sent its requests and closed its side gets its answers, and while such answers are still being sent.
    /// </remarks>
    private void ProbeForEof()
    {
        if (IsFailing) ContinueFailing();
        if (!_state.IsOpen || !_reads.IsFree || _state.IsEofReceived || StaysHalfOpen) return;
        SignalClosed();
        if (_reads.HasData || Unsent > 0) return;
        _state.MarkReadable();
        try
        {
            if (_reads.ReceiveIntoBuffer(this, ref _state) == 0) ReceiveEof();
        }
        catch (Exception error)
        {
            CloseByError(error);
        }
    }

    private void ProbeForEofLater() => Loop.TryPost(this, static stream =>
    {
        stream.ProbeForEof();
        stream.AfterUserCode();
    });
}
