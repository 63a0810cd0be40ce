using Waterspout.Reads;

namespace Waterspout;

public abstract partial class BaseIOStream
{
    // Theory of operation. How bytes get to a read is in ReadHalf; here is when.
    //
    // A read first checks the buffer, then receives if the descriptor is known to be readable, and otherwise waits. When an event completes
    // it, its awaiter resumes immediately, on the stack of ReceiveForRead, and may start the next read: the loop in ReceiveForRead then
    // finds that one. A read that completes within its call wakes no awaiter; so the stack does not grow, however many follow each other.
    //
    // Fairness: what one stream receives within a turn is limited. Beyond that it queues after the others.

    private ReadHalf _reads = new();

    /// <summary>Receives for a read that begins, if the descriptor is known to be readable. True if that has completed the read.</summary>
    private bool ReceiveInline(ReadOperation read)
    {
        if (IsConnecting) return false;
        while (_state.IsReadable && _reads.Pending == read)
        {
            if (IsBudgetSpent()) return false;
            if (!ReceiveOnce(read)) continue;
            return true;
        }

        // No data is left before the error.
        if (IsFailing && !_state.IsReadable && !MoreWillCome) CloseByError(Error!);
        return _reads.Pending != read;
    }

    /// <summary>Receives after an event while there is a pending read and data.</summary>
    private void ReceiveForRead()
    {
        while (_state.IsReadable && _reads.Pending is { } read && !IsBudgetSpent())
            if (ReceiveOnce(read) && _reads.Pending == read) CompleteRead(read);
    }

    /// <summary>One receive for the pending read. True if that has completed it.</summary>
    private bool ReceiveOnce(ReadOperation read)
    {
        if (!_reads.TryGetDirectSpace(this, read, out Memory<byte> space)) return true;
        int? count;
        try
        {
            count = _reads.Receive(this, ref _state, read, space);
        }
        catch (Exception error)
        {
            CloseByError(error);
            return true;
        }

        if (count is null) return false;
        if (count > 0) return TryFinish(read);
        ReceiveEof();
        return true;
    }

    /// <summary>The least room for any receive, if the kernel drops the rest of a longer message. Zero if it drops nothing.</summary>
    private protected virtual int LargestMessage => 0;

    int IHalfOwner.LargestMessage => LargestMessage;

    int? IHalfOwner.Receive(Memory<byte> space) => ReadFromFd(space);

    void IHalfOwner.OnReceived(int count)
    {
        if (!_registration.IsNone) Loop.Counters.BytesIn += count;
    }

    void IHalfOwner.OnReceiveBlocked() => AwaitReadiness(IOEvents.Read | (_state.IsEofAnnounced ? 0 : IOEvents.ReadClosed));

    private bool IsBudgetSpent()
    {
        if (!_reads.IsBudgetSpent(Loop.Turn)) return false;
        // Called more than once in a turn, by the read and by the event; if queued twice, each would queue two more.
        if (_reads.IsResumeQueued) return true;
        _reads.IsResumeQueued = true;
        Loop.TryPost(this, static stream => stream.Resume());
        return true;
    }

    /// <summary>The next turn of a stream that had spent its budget.</summary>
    private void Resume()
    {
        _reads.IsResumeQueued = false;
        if (_state.IsClosed) return;
        if (IsFailing) ContinueFailing();
        else ReceiveForRead();
        AfterUserCode();
    }

    /// <summary>Whether there is any unread data, here or in the kernel.</summary>
    private protected bool HasReceivedAnything()
    {
        if (_reads.Buffer.Length > 0) return true;
        try
        {
            int? count = _reads.ReceiveIntoBuffer(this, ref _state);
            if (count == 0) ReceiveEof();
            return count > 0;
        }
        catch (Exception error)
        {
            CloseByError(error);
            return false;
        }
    }

    /// <summary>Received and unread bytes.</summary>
    internal int UnreadBytes => _reads.Buffer.Length;

    /// <summary>The text of what a regex read has left is kept for the next one.</summary>
    internal bool HoldsText => _reads.Buffer.HoldsText;

    /// <summary>Memory is rented for received data.</summary>
    internal bool HoldsReadMemory => _reads.Buffer.HoldsMemory;

    int IReadOwner.BufferLimit => Options.BufferLimit;

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
}
