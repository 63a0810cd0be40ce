using System.Diagnostics;
using Waterspout.Loop;
using Waterspout.Reads;

namespace Waterspout;

/// <summary>The receiving half of a connection: what has arrived and is unread, the pending read, and how bytes get to it.</summary>
/// <remarks>
/// <para>Theory of operation. One read is pending at most, and it alone makes the connection receive: while there is none, nothing is taken
/// from the kernel, whose full buffer then holds the peer back.</para>
/// <para>The poller reports each change once (edge-triggered), so the state remembers that there may be something to receive. It is cleared when
/// a receive says EAGAIN; over TCP already when it gives less than was asked for: the kernel has nothing more then, and reports what comes. That
/// saves the second receive, which would only say EAGAIN: 7 % of a ping-pong. Where a receive may stop early for other reasons
/// (<see cref="DescriptorTraits"/>) it is made. So it is when the end of the stream is known to be behind the data: no more edges come then,
/// and receiving continues until it says zero.</para>
/// <para>Bytes go through the buffer, so that one receive brings what follows as well; or, where a read is large and nothing is buffered in
/// front, into its own memory.</para>
/// <para>While user code looks at the buffer (a parser, an expression), nothing else may read. It may close the connection: the pending read
/// is completed when that code has returned.</para>
/// </remarks>
internal struct ReadHalf()
{
    // Four full receives: large enough to cost nothing measurable, small enough that a turn of busy streams stays short.
    private const ushort Budget = 256; // KiB

    // What a receive behind buffered data must have room for, at least.
    private const int SmallestReceive = 512;

    private int _lastReceived;
    private ByteBudget _budget = new();

    /// <summary>What has arrived and is unread.</summary>
    internal ReadBuffer Buffer { get; } = new();

    /// <summary>The read that waits, or is being tried.</summary>
    internal ReadOperation? Pending { readonly get; set; }

    /// <summary>The time limit of reads; null where there has been no need for one.</summary>
    internal Deadline? Deadline { readonly get; set; }

    /// <summary>User code looks at the buffer.</summary>
    internal bool IsParsing { readonly get; set; }

    /// <summary>A read in pieces is under way, and is between two of them.</summary>
    internal bool IsStreaming { readonly get; set; }

    /// <summary>The budget was spent, and the owner continues in the next turn.</summary>
    internal bool IsResumeQueued { readonly get; set; }

    /// <summary>No more is received in this turn.</summary>
    internal bool IsBudgetSpent(long turn) => _budget.IsSpent(turn, Budget);

    /// <summary>Lets a read look at the buffer.</summary>
    internal ReadProgress Run(ReadOperation read, int bufferLimit)
    {
        ReadProgress progress = Run(read, isEof: false);
        bool isFull = progress == ReadProgress.Pending && Buffer.Length > bufferLimit && !read.LeavesBuffer;
        return isFull ? ReadProgress.BufferFull : progress;
    }

    /// <summary>Lets a read take what there is, since nothing comes any more.</summary>
    internal ReadProgress RunAtEof(ReadOperation read) => Run(read, isEof: true);

    /// <summary>Gives a read its error. What it had taken goes back, unless the caller's memory, where that is, can no longer be used.</summary>
    internal readonly void Fail(ReadOperation read, Exception error)
    {
        try
        {
            read.Unread(Buffer);
        }
        catch (Exception unusable)
        {
            error = unusable;
        }

        read.Fail(error);
    }

    /// <summary>The pending read has its outcome.</summary>
    internal void Detach(ReadOperation read)
    {
        Pending = null;
        read.UnregisterCancellation();
        Deadline?.Clear();
    }

    /// <summary>The memory of the read's own to receive into; empty where data goes through the buffer.</summary>
    /// <returns>False where asking for it has failed the read.</returns>
    internal readonly bool TryGetDirectSpace(IHalfOwner owner, ReadOperation read, out Memory<byte> space)
    {
        space = default;
        if (Buffer.Length > 0 && !read.BypassesBuffer && !read.LeavesBuffer) return true;
        try
        {
            space = read.GetDirectSpace();
            if (space.Length < owner.LargestMessage && !read.BypassesBuffer) space = default;
            return true;
        }
        catch (Exception error)
        {
            Fail(read, error);
            return false;
        }
    }

    /// <summary>Receives into the read's own memory, or into the buffer where that is empty.</summary>
    /// <returns>The number of bytes; null where it would block; 0 at the end.</returns>
    internal int? Receive(IHalfOwner owner, ref StreamState state, ReadOperation read, Memory<byte> space)
    {
        if (space.IsEmpty) return ReceiveIntoBuffer(owner, ref state);
        int? count = ReceiveInto(owner, ref state, space);
        if (count > 0) read.ReceivedDirectly(count.Value);
        return count;
    }

    /// <inheritdoc cref="Receive"/>
    internal int? ReceiveIntoBuffer(IHalfOwner owner, ref StreamState state)
    {
        int chunk = owner.Options.ChunkSize;
        int message = owner.LargestMessage;
        // One byte beyond the limit tells that the limit is passed; it is not needed to hold more.
        int room = (int)Math.Max(message, Math.Min(chunk, owner.Options.BufferLimit + 1L - Buffer.Length));
        int least = Math.Max(message, Math.Min(room, Math.Max(SmallestReceive, _lastReceived)));
        Memory<byte> space = Buffer.GetSpace(least, Math.Max(least, chunk));
        if (space.Length > room) space = space[..room];
        int? count = ReceiveInto(owner, ref state, space);
        if (count > 0)
        {
            Buffer.Commit(count.Value);
            _lastReceived = count.Value;
        }

        return count;
    }

    /// <inheritdoc cref="Receive"/>
    internal int? ReceiveInto(IHalfOwner owner, ref StreamState state, Memory<byte> space)
    {
        int? count = owner.Receive(space);
        Debug.Assert(count is null || count <= space.Length, "More was received than there was room for.");
        if (count > 0)
        {
            owner.OnReceived(count.Value);
            _budget.Spend(count.Value);
        }

        bool isDrained = count is null
            || (count > 0 && count < space.Length && (owner.Traits & DescriptorTraits.ShortMeansBlocked) != 0 && !state.IsEofAnnounced);
        if (!isDrained) return count;
        state.ClearReadable();
        owner.OnReceiveBlocked();
        return count;
    }

    private ReadProgress Run(ReadOperation read, bool isEof)
    {
        IsParsing = true;
        try
        {
            return isEof ? read.TryFinishAtEof(Buffer) : read.TryFinish(Buffer);
        }
        catch (Exception error)
        {
            // The user's parser, expression or memory has failed. It concerns this read alone.
            Fail(read, error);
            return ReadProgress.Finished;
        }
        finally
        {
            IsParsing = false;
        }
    }
}
