using System.Diagnostics;
using Waterspout.Reads;

namespace Waterspout;

// How bytes get to the read.
//
// The poller reports each change once (edge-triggered), so the state remembers that there may be something to receive. It is cleared when a
// receive returns EAGAIN; over TCP already when it returns less than was asked for: the kernel then has nothing more, and will report
// again. That saves the second receive, which would only return EAGAIN: 7 % of a ping-pong. The second receive is made if a receive may stop
// early for other reasons (DescriptorTraits), and when EOF is known to follow the data: no more edges come then, and receiving continues
// until it returns zero.
//
// Bytes go through the buffer, so that one receive also brings what follows; or directly into the read's own memory, if the read is large
// and nothing is buffered before it.
internal partial struct ReadHalf
{
    // Four full receives: large enough to cost nothing measurable, small enough that a turn of busy streams stays short.
    private const ushort Budget = 256; // KiB

    // The least room for a receive when there is buffered data.
    private const int SmallestReceive = 512;

    // The unit of what was received last: two bytes then hold more than the largest receive.
    private const int Unit = 64;

    /// <summary>No more is received in this turn.</summary>
    internal bool IsBudgetSpent(long turn) => _budget.IsSpent(turn, Budget);

    /// <summary>One receive for a read, into its own memory or through the buffer; then the read checks what has arrived.</summary>
    /// <returns>Null if receiving would block. Throws the descriptor's errors.</returns>
    internal ReadProgress? Receive(IHalfOwner owner, ref StreamState state, ReadOperation read)
    {
        if (!TryGetDirectSpace(owner, read, out Memory<byte> space)) return ReadProgress.Finished;
        int? count = space.IsEmpty ? ReceiveIntoBuffer(owner, ref state) : ReceiveInto(owner, ref state, space);
        if (count is null) return null;
        if (count == 0) return ReadProgress.Ended;
        if (!space.IsEmpty) read.ReceivedDirectly(count.Value);
        return Run(read, owner.Options);
    }

    /// <summary>Receives into the buffer.</summary>
    /// <returns>The number of bytes; null if it would block; 0 at EOF.</returns>
    internal int? ReceiveIntoBuffer(IHalfOwner owner, ref StreamState state)
    {
        int chunk = owner.Options.ChunkSize;
        int message = owner.LargestMessage;
        // One byte beyond the limit shows that the limit is exceeded; more need not be held.
        int room = (int)Math.Max(message, Math.Min(chunk, owner.Options.BufferLimit + 1L - Buffer.Length));
        int least = Math.Max(message, Math.Min(room, Math.Max(SmallestReceive, _lastReceived * Unit)));
        Memory<byte> space = Buffer.GetSpace(least, Math.Max(least, chunk));
        if (space.Length > room) space = space[..room];
        int? count = ReceiveInto(owner, ref state, space);
        if (count > 0)
        {
            Buffer.Commit(count.Value);
            _lastReceived = (ushort)((count.Value + Unit - 1) / Unit);
        }

        return count;
    }

    /// <summary>Receives into any memory.</summary>
    /// <inheritdoc cref="ReceiveIntoBuffer" path="/returns"/>
    internal int? ReceiveInto(IHalfOwner owner, ref StreamState state, Memory<byte> space)
    {
        int? count = owner.Receive(space);
        Debug.Assert(count is null || count <= space.Length, "More was received than there was room for.");
        if (count > 0)
        {
            Received += count.Value;
            owner.OnReceived(count.Value);
            Clock?.Receive(count.Value);
            _budget.Spend(count.Value);
        }

        bool isDrained = count is null
            || (count > 0 && count < space.Length && (owner.Traits & DescriptorTraits.ShortMeansBlocked) != 0 && !state.IsEofAnnounced);
        if (!isDrained) return count;
        state.ClearReadable();
        owner.OnReceiveBlocked();
        return count;
    }

    /// <summary>The read's own memory to receive into; empty if data goes through the buffer.</summary>
    /// <returns>False if the query has failed the read.</returns>
    private readonly bool TryGetDirectSpace(IHalfOwner owner, ReadOperation read, out Memory<byte> space)
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
}
