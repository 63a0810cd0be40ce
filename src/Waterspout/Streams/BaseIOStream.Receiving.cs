using Waterspout.Loop;
using Waterspout.Reads;

namespace Waterspout;

public abstract partial class BaseIOStream
{
    // Theory of operation. At most one read is pending, and only a pending read makes the stream receive: without one nothing is taken from
    // the kernel, whose full buffer then holds the peer back.
    //
    // The poller reports each change once (edge-triggered), so the state remembers that there may be something to receive. It is cleared
    // when a receive returns EAGAIN; over TCP already when it returns less than was asked for: the kernel then has nothing more, and will
    // report again. That saves the second receive, which would only return EAGAIN: 7 % of a ping-pong. The second receive is made if a
    // receive may stop early for other reasons (DescriptorTraits), and when EOF is known to follow the data: no more edges come then, and
    // receiving continues until it returns zero.
    //
    // A read first checks the buffer, then receives if the descriptor is known to be readable, and otherwise waits. When an event completes
    // it, its awaiter resumes immediately, on the stack of ReceiveForRead, and may start the next read: the loop in ReceiveForRead then
    // finds that one. A read that completes within its call wakes no awaiter; so the stack does not grow, however many follow each other.
    //
    // Fairness: what one stream receives within a turn is limited. Beyond that it queues after the others.

    // Four full receives: large enough to cost nothing measurable, small enough that a turn of busy streams stays short.
    private const ushort ReceiveBudget = 256; // KiB

    // The least room for a receive when there is buffered data.
    private const int SmallestReceive = 512;

    private ReadOperation? _pendingRead;
    private Deadline? _readDeadline;
    private bool _isResumeQueued;
    private bool _isParsing;
    private int _lastReceived;
    private ByteBudget _receiveBudget = new();

    /// <summary>Receives for a read that begins, if the descriptor is known to be readable. True if that has completed the read.</summary>
    private bool ReceiveInline(ReadOperation read)
    {
        if (IsConnecting) return false;
        while (_state.IsReadable && _pendingRead == read)
        {
            if (IsBudgetSpent()) return false;
            if (!ReceiveOnce(read)) continue;
            return true;
        }

        // No data is left before the error.
        if (IsFailing && !_state.IsReadable && !MoreWillCome) CloseByError(Error!);
        return _pendingRead != read;
    }

    /// <summary>Receives after an event while there is a pending read and data.</summary>
    private void ReceiveForRead()
    {
        while (_state.IsReadable && _pendingRead is { } read && !IsBudgetSpent())
            if (ReceiveOnce(read) && _pendingRead == read) CompleteRead(read);
    }

    /// <summary>One receive for the pending read. True if that has completed it.</summary>
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

    /// <summary>
    /// Where to receive directly, bypassing the buffer; empty if data has to go through it. False if the query has failed the read.
    /// </summary>
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

    /// <summary>The least room for any receive, if the kernel drops the rest of a longer message. Zero if it drops nothing.</summary>
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
        // One byte beyond the limit shows that the limit is exceeded; more need not be held.
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
        // Called more than once in a turn, by the read and by the event; if queued twice, each would queue two more.
        if (_isResumeQueued) return true;
        _isResumeQueued = true;
        Loop.TryPost(this, static stream => stream.Resume());
        return true;
    }

    /// <summary>The next turn of a stream that had spent its budget.</summary>
    private void Resume()
    {
        _isResumeQueued = false;
        if (_state.IsClosed) return;
        if (IsFailing) ContinueFailing();
        else ReceiveForRead();
        AfterUserCode();
    }

    /// <summary>The peer's EOF is known.</summary>
    internal bool IsEofAnnounced => _state.IsEofAnnounced;

    /// <summary>Whether there is any unread data, here or in the kernel.</summary>
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

    /// <summary>Received and unread bytes.</summary>
    internal int UnreadBytes => _readBuffer.Length;

    /// <summary>The text of what a regex read has left is kept for the next one.</summary>
    internal bool HoldsText => _readBuffer.HoldsText;

    /// <summary>Memory is rented for received data.</summary>
    internal bool HoldsReadMemory => _readBuffer.HoldsMemory;

    /// <summary>The kernel is known to have data or EOF.</summary>
    internal bool IsReadable => _state.IsReadable;

    /// <summary>A zero-byte read would complete immediately.</summary>
    internal bool HasDataOrEof => _state.IsReadable || _readBuffer.Length > 0;

    /// <summary>Receives directly if possible; returns 0 if the caller must use a normal read.</summary>
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

    /// <summary>The close reason that EOF, once received, stands for.</summary>
    private protected virtual CloseReason EofReason => CloseReason.EndOfStream;

    /// <summary>The peer's EOF does not close the stream, since this side may still write.</summary>
    private bool StaysHalfOpen => Options.AllowHalfOpen && _state.WriteEnd == WriteEnd.Open;

    /// <summary>The reason that can be given for EOF while data before it is unread.</summary>
    private protected virtual CloseReason ReasonOfKnownEnd => CloseReason.EndOfStream;

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
        else if (_pendingRead is { } read && CompleteAtEof(read)) CompleteReadLater(read);
    }
}
