using Waterspout.Loop;
using Waterspout.Reads;

namespace Waterspout;

public abstract partial class BaseIOStream
{
    // Theory of operation. One read is pending at most, and it alone makes the stream receive: nobody reading means that
    // nothing is taken from the kernel, whose full buffer then holds the peer back.
    //
    // The poller tells each change once (edge-triggered), so the state remembers that there may be something to receive.
    // It is cleared when a receive says EAGAIN; over TCP already when it gives less than was asked for: the kernel has then
    // nothing more, and will tell again. That saves the second receive, which would only say EAGAIN: 7 % of a ping-pong.
    // Where a receive may stop early for other reasons (DescriptorTraits) it is made. So it is when the end of the stream is
    // known to be behind the data: no more edges come then, and receiving goes on until it says zero.
    //
    // A read begins by looking at the buffer, goes on by receiving if the descriptor is known to be readable, and waits
    // otherwise. When an event completes it, its awaiter goes on right there, on the stack of ReceiveForRead, and may begin
    // the next read: the loop in ReceiveForRead then finds that one. A read that completes within its call does not wake
    // anybody; so the stack does not grow, however many follow each other.
    //
    // Fairness: what one stream receives within a turn is limited. Beyond that it queues behind the others.

    // Four full receives: large enough to cost nothing measurable, small enough that a turn of busy streams stays short.
    private const ushort ReceiveBudget = 256; // KiB

    // What a receive behind buffered data must have room for, at least.
    private const int SmallestReceive = 512;

    private ReadOperation? _pendingRead;
    private Deadline? _readDeadline;
    private bool _isResumeQueued;
    private bool _isParsing;
    private int _lastReceived;
    private ByteBudget _receiveBudget = new();

    /// <summary>Receives for a read that begins, if the descriptor is known to have something. True when that has ended the read.</summary>
    private bool ReceiveInline(ReadOperation read)
    {
        if (IsConnecting) return false;
        while (_state.IsReadable && _pendingRead == read)
        {
            if (IsBudgetSpent()) return false;
            if (!ReceiveOnce(read)) continue;
            return true;
        }

        // Nothing has been left in front of the error.
        if (IsFailing && !_state.IsReadable && !MoreWillCome) CloseByError(Error!);
        return _pendingRead != read;
    }

    /// <summary>Receives for as long as somebody reads and there is something, after an event.</summary>
    private void ReceiveForRead()
    {
        while (_state.IsReadable && _pendingRead is { } read && !IsBudgetSpent())
            if (ReceiveOnce(read) && _pendingRead == read) CompleteRead(read);
    }

    /// <summary>One receive for the pending read. True when that has ended it.</summary>
    private bool ReceiveOnce(ReadOperation read)
    {
        if (read.IsSatisfiedByReadiness) return TryFinish(read);
        if (!TryGetDirectSpace(read, out Memory<byte> space)) return true;
        int? count;
        try
        {
            count = space.IsEmpty ? ReceiveIntoBuffer() : ReceiveDirectly(read, space);
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

    /// <summary>Where to receive past the buffer; empty where data has to go through it. False when asking has ended the read.</summary>
    private bool TryGetDirectSpace(ReadOperation read, out Memory<byte> space)
    {
        space = default;
        if (_readBuffer.Length > 0 && !read.BypassesBuffer && !read.LeavesBuffer) return true;
        try
        {
            space = read.GetDirectSpace();
            if (space.Length < LargestMessage && !read.BypassesBuffer) space = default;
            return true;
        }
        catch (Exception error)
        {
            FailRead(read, error);
            return false;
        }
    }

    /// <summary>What every receive must have room for, where the kernel drops the rest of a message that has not. Zero where it drops nothing.</summary>
    private protected virtual int LargestMessage => 0;

    private int? ReceiveDirectly(ReadOperation read, Memory<byte> space)
    {
        int? count = ReceiveInto(space);
        if (count > 0) read.ReceivedDirectly(count.Value);
        return count;
    }

    private int? ReceiveIntoBuffer()
    {
        int chunk = Options.ChunkSize;
        // One byte beyond the limit tells that the limit is passed; it is not needed to hold more.
        int room = (int)Math.Max(LargestMessage, Math.Min(chunk, Options.BufferLimit + 1L - _readBuffer.Length));
        int least = Math.Max(LargestMessage, Math.Min(room, Math.Max(SmallestReceive, _lastReceived)));
        Memory<byte> space = _readBuffer.GetSpace(least, Math.Max(least, chunk));
        if (space.Length > room) space = space[..room];
        int? count = ReceiveInto(space);
        if (count > 0)
        {
            _readBuffer.Commit(count.Value);
            _lastReceived = count.Value;
        }

        return count;
    }

    private int? ReceiveInto(Memory<byte> space)
    {
        int? count = ReceiveFromFd(space);
        if (count > 0)
        {
            if (!_registration.IsNone) Loop.Counters.BytesIn += count.Value;
            _receiveBudget.Spend(count.Value);
        }

        bool isDrained = count is null || (count > 0 && count < space.Length && ShortMeansBlocked && !_state.IsEofAnnounced);
        if (isDrained)
        {
            _state.ClearReadable();
            RearmReads();
        }

        return count;
    }

    private void RearmReads()
    {
        if (!_registration.IsNone) Loop.Rearm(_registration, IOEvents.Read | (_state.IsEofAnnounced ? 0 : IOEvents.ReadClosed), Traits);
    }

    private bool IsBudgetSpent()
    {
        if (!_receiveBudget.IsSpent(Loop.Turn, ReceiveBudget)) return false;
        // Asked more than once in a turn, by the read and by the event; queued twice, each would queue two more.
        if (_isResumeQueued) return true;
        _isResumeQueued = true;
        Loop.TryPost(this, static stream => stream.Resume());
        return true;
    }

    /// <summary>The next turn for a stream that had spent its budget.</summary>
    private void Resume()
    {
        _isResumeQueued = false;
        if (_state.IsClosed) return;
        if (IsFailing) ContinueFailing();
        else ReceiveForRead();
        AfterUserCode();
    }

    /// <summary>The end of the peer's side is known.</summary>
    internal bool IsEofAnnounced => _state.IsEofAnnounced;

    /// <summary>Whether there is anything that has not been read, here or in the kernel.</summary>
    private protected bool HasReceivedAnything()
    {
        if (_readBuffer.Length > 0) return true;
        try
        {
            int? count = ReceiveIntoBuffer();
            if (count == 0) ReceiveEof();
            return count > 0;
        }
        catch (Exception error)
        {
            CloseByError(error);
            return false;
        }
    }

    /// <summary>Bytes that have been received and not been read.</summary>
    internal int UnreadBytes => _readBuffer.Length;

    /// <summary>The text of what a regex read has left is kept, for the next one.</summary>
    internal bool HoldsText => _readBuffer.HoldsText;

    /// <summary>Memory is rented for what is received.</summary>
    internal bool HoldsReadMemory => _readBuffer.HoldsMemory;

    /// <summary>The kernel is known to have something for us, if only the end.</summary>
    internal bool IsReadable => _state.IsReadable;

    /// <summary>A read that asks for nothing but to be told would complete at once.</summary>
    internal bool HasDataOrEof => _state.IsReadable || _readBuffer.Length > 0;

    /// <summary>Receives without a read operation, where nothing is in the way of that; 0 where the way of all reads has to be gone.</summary>
    internal int ReceiveBypassingBuffer(Memory<byte> space)
    {
        if (!_state.IsReadable || _readBuffer.Length > 0 || _pendingRead is not null || _state.EndsReads || IsBudgetSpent()) return 0;
        try
        {
            return ReceiveInto(space) ?? 0;
        }
        catch (Exception error)
        {
            CloseByError(error);
            return 0;
        }
    }

    /// <summary>What the end of the peer's side, once it is reached, says about the stream.</summary>
    private protected virtual CloseReason EofReason => CloseReason.EndOfStream;

    /// <summary>The end of the peer's side does not close the stream, since this side may still write.</summary>
    private bool StaysHalfOpen => Options.AllowHalfOpen && _state.WriteEnd == WriteEnd.Open;

    /// <summary>What can be said of the end while data in front of it is unread.</summary>
    private protected virtual CloseReason ReasonOfKnownEnd => CloseReason.EndOfStream;

    /// <summary>The end of the stream has been received: nothing comes after it.</summary>
    private void ReceiveEof()
    {
        if (_state.IsClosed) return;
        // Behind a kept error that is what the descriptor tells when it has nothing else to tell.
        if (IsFailing && !IsEofInData) _state.ClearReadable();
        else _state.ReceiveEof();
        if (IsFailing) CloseByError(Error!);
        if (_state.IsClosed) return;
        bool staysOpen = _state.IsClosing || StaysHalfOpen;
        if (!staysOpen) CloseAtEof();
        else if (_pendingRead is { } read && CompleteAtEof(read)) CompleteReadLater(read);
    }
}
