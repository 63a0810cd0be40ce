using Waterspout.Errors;

namespace Waterspout;

public abstract partial class BaseIOStream
{
    // Theory of operation. A failed write, a write that times out, or an error from the poller may come before data that has arrived: that
    // is still in the kernel or, under TLS, in the transport. So such an error does not close the stream at once. The stream is failing:
    // the first error is kept; writes fail; reads continue; and without a pending read, the rest is received into the buffer, from which it
    // can be read after the close. When nothing is left the stream closes with the error. All of this stays within the budget of a turn,
    // like all receiving.
    //
    // An error of a receive comes after the data: the kernel reports it when its queue is empty. It closes the stream at once.
    //
    // A query for an error consumes it, by SO_ERROR as by a failed send, and the next receive then returns a regular EOF, as if the peer
    // had sent everything. That is why the kept error takes precedence over an EOF that is received after it.

    // How much is received without a reader. More than any kernel queue holds, so only a peer that keeps sending without receiving reaches
    // it.
    private const int MostAfterError = 64 * 1024 * 1024;

    /// <summary>The stream is failing, closing or closed: it accepts no more writes.</summary>
    private protected bool IsEnding => _state.EndsWrites;

    /// <summary>No more writes are accepted, because of an error.</summary>
    private bool IsFailing => _state.IsFailing;

    /// <summary>The descriptor has failed: received data is completed first, then the stream closes with the error.</summary>
    private void Fail(Exception error)
    {
        if (_state.HasDroppedWrites) return;
        if (!_state.IsOpen || IsConnecting) CloseByError(error);
        else Fail(ErrorReasons.Of(error), error);
    }

    private void Fail(CloseReason reason, Exception error)
    {
        if (!_state.IsOpen || _state.IsEofReceived || !TrySetOutcome(new CloseOutcome(reason, error, IsKnown: false, IsAwaitingData: true)))
        {
            CloseNow(reason, error);
            return;
        }

        _state.Fail();
        if (Unsent > 0) LogUnsent(Unsent, error, IsLostByPeer(reason, error));
        _writes.Drop();
        FailWriters();
        SignalClosed();
        // This may be inside a user's call, so no awaiter is woken here.
        if (_reads.Pending is null) ReceiveRest();
        if (!_state.IsClosed) ProbeForEofLater();
    }

    /// <summary>An error after which nothing can be received.</summary>
    private protected void CloseByError(Exception error)
    {
        if (_state.IsClosed) return;
        // Everything has been sent, and the peer did not wait for the close to complete.
        if (_state.IsClosing && Unsent == 0) CloseNow(CloseReason.Local);
        else CloseNow(ErrorReasons.Of(error), error);
    }

    /// <summary>Gives the pending read what has arrived, and receives the rest.</summary>
    private void ContinueFailing()
    {
        // What was received into the buffer when the read could not be woken.
        if (_reads.Pending is { } read && TryFinish(read) && _reads.Pending == read) CompleteRead(read);
        ReceiveForRead();
        if (IsFailing) ReceiveRest();
    }

    /// <summary>Receives what is left into the buffer, as far as it has room, and closes the stream when that is everything.</summary>
    private void ReceiveRest()
    {
        if (_reads.IsParsing)
        {
            ProbeForEofLater();
            return;
        }

        try
        {
            while (_state.IsReadable && _reads.Buffer.Length < Math.Min(Options.MaxBufferSize, MostAfterError))
            {
                if (IsBudgetSpent()) return;
                if (_reads.ReceiveIntoBuffer(this, ref _state) == 0) ReceiveEof();
            }
        }
        catch (Exception error)
        {
            CloseByError(error);
        }

        // Otherwise the buffer is full, and the next read makes room.
        if (!_state.IsReadable && !MoreWillCome) CloseByError(Error!);
    }
}
