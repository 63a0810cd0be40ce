namespace Waterspout;

public abstract partial class BaseIOStream
{
    // Theory of operation. An error of a write, its time limit among them, or one that the poller tells, is not behind what has arrived: that is still in the kernel, or, under
    // TLS, in the transport. So the stream does not close by it at once. It is failing: the error is kept, and the first one counts; writes fail; reads
    // continue, and where nobody reads, the rest is received into the buffer, from where it can be read after the close. When nothing is left the
    // stream closes with the error. All of that within the budget of a turn, like all receiving.
    //
    // An error of a receive is behind the data: the kernel tells it when its queue is empty. It closes the stream at once.
    //
    // Asking for an error takes it from the descriptor, by SO_ERROR as by a send that fails, and the next receive then tells a regular end, as if
    // the peer had sent everything. That is why the kept error stands in front of an end that is received behind it.

    // What is received where nobody reads. More than any queue of a kernel, and so only met by a peer that sends on though it takes nothing any more.
    private const int MostAfterError = 64 * 1024 * 1024;

    /// <summary>The stream fails, closes or has closed: it takes no more writes.</summary>
    private protected bool IsEnding => _state.EndsWrites;

    /// <summary>No more writes are taken, because of an error.</summary>
    internal bool IsFailing => _state.IsFailing;

    /// <summary>Nothing is there to be received now, but what had arrived is not all here yet.</summary>
    private protected virtual bool MoreWillCome => false;

    /// <summary>The end of the peer's side is told within the data, and not by the descriptor.</summary>
    private protected virtual bool IsEofInData => false;

    /// <summary>The descriptor has failed: what had arrived is received, then the stream closes with the error.</summary>
    internal void Fail(Exception error)
    {
        if (_state.HasDroppedWrites) return;
        if (!_state.IsOpen || IsConnecting) CloseByError(error);
        else Fail(ReasonOf(error), error);
    }

    private void Fail(CloseReason reason, Exception error)
    {
        if (!_state.IsOpen || _state.IsEofReceived || !TrySetOutcome(new CloseOutcome(reason, error, IsKnown: false, IsAwaitingData: true)))
        {
            CloseNow(reason, error);
            return;
        }

        _state.Fail();
        if (Lost is > 0 and long lost) LogUnsent(lost, error, IsCutByPeer(reason, error));
        _writes.Drop();
        FailWriters();
        SignalClosed();
        // This may be inside some user's call, so nobody is woken here.
        if (_pendingRead is null) ReceiveRest();
        else ProbeForEofLater();
    }

    /// <summary>An error behind which nothing can be received.</summary>
    private protected void CloseByError(Exception error)
    {
        if (_state.IsClosed) return;
        // Everything has been sent, and the peer did not wait for the end of the close.
        if (_state.IsClosing && Unsent == 0) CloseNow(CloseReason.Local);
        else CloseNow(ReasonOf(error), error);
    }

    /// <summary>Gives the pending read what has arrived, and receives the rest.</summary>
    private void ContinueFailing()
    {
        // What came into the buffer when it could not be woken.
        if (_pendingRead is { } read && TryFinish(read) && _pendingRead == read) CompleteRead(read);
        ReceiveForRead();
        if (IsFailing) ReceiveRest();
    }

    /// <summary>Receives what is left into the buffer, as far as it has room, and closes the stream when that is all.</summary>
    private void ReceiveRest()
    {
        if (_isParsing)
        {
            ProbeForEofLater();
            return;
        }

        try
        {
            while (_state.IsReadable && _readBuffer.Length < Math.Min(Options.MaxBufferSize, MostAfterError))
            {
                if (IsBudgetSpent()) return;
                if (ReceiveIntoBuffer() == 0) ReceiveEof();
            }
        }
        catch (Exception error)
        {
            CloseByError(error);
        }

        // Otherwise the buffer is full, and the next read makes room.
        if (!_state.IsReadable && !MoreWillCome) CloseByError(Error!);
        else UpdateRoot();
    }

    private static CloseReason ReasonOf(Exception error) => IsConnectionLoss(error) ? CloseReason.Reset : CloseReason.Error;
}
