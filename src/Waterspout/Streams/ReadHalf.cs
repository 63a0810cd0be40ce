using System.Diagnostics;
using Waterspout.Loop;
using Waterspout.Reads;

namespace Waterspout;

/// <summary>The receiving half of a connection: received and unread data, the pending read, and how the read gets its bytes.</summary>
/// <remarks>
/// <para>Theory of operation. At most one read is pending, and only a pending read makes the connection receive: without one, nothing is
/// taken from the kernel, whose full buffer then holds the peer back.</para>
/// <para>The poller reports each change once (edge-triggered), so the state remembers that there may be something to receive. It is cleared
/// when a receive returns EAGAIN; over TCP already when it returns less than was asked for: the kernel then has nothing more, and will
/// report again. That saves the second receive, which would only return EAGAIN: 7 % of a ping-pong. The second receive is made if a receive
/// may stop early for other reasons (<see cref="DescriptorTraits"/>), and when EOF is known to follow the data: no more edges come then,
/// and receiving continues until it returns zero.</para>
/// <para>Bytes go through the buffer, so that one receive also brings what follows; or directly into the read's own memory, if the read is
/// large and nothing is buffered before it.</para>
/// <para>While user code (a parser, an expression) uses the buffer, nothing else may read. That code may close the connection: the pending
/// read is completed when it has returned.</para>
/// </remarks>
internal struct ReadHalf()
{
    // Four full receives: large enough to cost nothing measurable, small enough that a turn of busy streams stays short.
    private const ushort Budget = 256; // KiB

    // The least room for a receive when there is buffered data.
    private const int SmallestReceive = 512;

    // The unit of what was received last: two bytes then hold more than the largest receive.
    private const int Unit = 64;

    private readonly ReadBuffer _buffer = new();
    private BufferLoan? _loan; // after the first one
    private ushort _lastReceived; // in units, rounded up
    private Uses _uses;
    private ByteBudget _budget = new();

    // One byte for all: with it, what an idle stream notes for those who inspect it takes eight bytes.
    [Flags]
    private enum Uses : byte
    {
        Parsing = 1,
        Streaming = 2,
        ResumeQueued = 4,
    }

    /// <summary>Received and unread data. Takes it back if it is lent.</summary>
    internal readonly ReadBuffer Buffer
    {
        get
        {
            if (_loan is { IsLent: true } loan) loan.End();
            return _buffer;
        }
    }

    /// <summary>Threads other than the owner's may read from the buffer.</summary>
    internal readonly bool IsLent => _loan is { IsLent: true };

    /// <summary>The pending read, or the one that is being tried.</summary>
    internal ReadOperation? Pending { readonly get; set; }

    /// <summary>The time limits of reads; null if they have not been needed yet.</summary>
    internal ReadClock? Clock { readonly get; set; }

    /// <summary>User code uses the buffer.</summary>
    internal bool IsParsing { readonly get => Has(Uses.Parsing); set => Set(Uses.Parsing, value); }

    /// <summary>A streaming read is pending, and is between two pieces.</summary>
    internal bool IsStreaming { readonly get => Has(Uses.Streaming); set => Set(Uses.Streaming, value); }

    /// <summary>The budget was spent, and the owner continues in the next turn.</summary>
    internal bool IsResumeQueued { readonly get => Has(Uses.ResumeQueued); set => Set(Uses.ResumeQueued, value); }

    /// <summary>Bytes received since the connection began.</summary>
    internal long Received { readonly get; private set; }

    /// <summary>When the pending read began to wait.</summary>
    internal Moment PendingSince { readonly get; set; }

    /// <summary>When bytes were last transferred, in either direction: it is kept here, where there is room for it.</summary>
    internal Moment LastProgress { readonly get; set; }

    /// <summary>No more is received in this turn.</summary>
    internal bool IsBudgetSpent(long turn) => _budget.IsSpent(turn, Budget);

    /// <summary>Lets a read check the buffer.</summary>
    internal ReadProgress Run(ReadOperation read, int bufferLimit)
    {
        ReadProgress progress = Run(read, isEof: false);
        bool isFull = progress == ReadProgress.Pending && Buffer.Length > bufferLimit && !read.LeavesBuffer;
        return isFull ? ReadProgress.BufferFull : progress;
    }

    /// <summary>Lets a read take what there is, since nothing more will arrive.</summary>
    internal ReadProgress RunAtEof(ReadOperation read) => Run(read, isEof: true);

    /// <summary>
    /// Fails a read. The bytes it had taken are returned to the buffer, unless they are in the caller's memory and that can no longer be
    /// used.
    /// </summary>
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

    /// <summary>Something is buffered. What is lent stays lent: its reader notifies the owner when it has taken everything.</summary>
    internal readonly bool HasData => BufferedBytes > 0;

    /// <summary>The number of bytes that are buffered. What is lent stays lent.</summary>
    internal readonly int BufferedBytes => IsLent ? _loan!.LengthOf(_buffer) : _buffer.Length;

    /// <summary>Lends what is buffered to other threads, until <see cref="Buffer"/> is used.</summary>
    internal void Lend()
    {
        if (Buffer.Length == 0) return;
        _loan ??= new BufferLoan();
        _loan.Begin();
    }

    /// <inheritdoc cref="BufferLoan.TryRead"/>
    internal readonly bool TryReadLent<T>(ReadOperation<T> read, out ValueTask<T> result, out bool isEmpty) =>
        _loan!.TryRead(_buffer, read, out result, out isEmpty);

    /// <inheritdoc cref="BufferLoan.TryTake"/>
    internal readonly bool TryTakeLent<TRead, T>(TRead read, out ValueTask<T> result, out bool isEmpty)
        where TRead : IBufferedRead<T>, allows ref struct => _loan!.TryTake(_buffer, read, out result, out isEmpty);

    /// <summary>Holds no more memory than the unread data needs.</summary>
    internal readonly void Trim()
    {
        if (!IsLent) _buffer.Trim();
    }

    /// <summary>The pending read has its outcome.</summary>
    internal void Detach(ReadOperation read)
    {
        Pending = null;
        read.UnregisterCancellation();
        Clock?.Stop();
    }

    /// <summary>One receive for a read, into its own memory or through the buffer; then the read checks what has arrived.</summary>
    /// <returns>Null if receiving would block. Throws the descriptor's errors.</returns>
    internal ReadProgress? Receive(IHalfOwner owner, ref StreamState state, ReadOperation read)
    {
        if (!TryGetDirectSpace(owner, read, out Memory<byte> space)) return ReadProgress.Finished;
        int? count = space.IsEmpty ? ReceiveIntoBuffer(owner, ref state) : ReceiveInto(owner, ref state, space);
        if (count is null) return null;
        if (count == 0) return ReadProgress.Ended;
        if (!space.IsEmpty) read.ReceivedDirectly(count.Value);
        return Run(read, owner.Options.BufferLimit);
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

    private readonly bool Has(Uses use) => (_uses & use) != 0;

    private void Set(Uses use, bool value) => _uses = value ? _uses | use : _uses & ~use;

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

    private ReadProgress Run(ReadOperation read, bool isEof)
    {
        ReadBuffer buffer = Buffer;
        IsParsing = true;
        try
        {
            return isEof ? read.TryFinishAtEof(buffer) : read.TryFinish(buffer);
        }
        catch (Exception error)
        {
            // The user's parser, expression or memory failed. Only this read is affected.
            Fail(read, error);
            return ReadProgress.Finished;
        }
        finally
        {
            IsParsing = false;
        }
    }
}
