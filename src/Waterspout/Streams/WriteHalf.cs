using System.Diagnostics;
using System.Runtime.CompilerServices;
using Waterspout.Interop;
using Waterspout.Loop;
using Waterspout.Writes;

namespace Waterspout;

/// <summary>The sending half of a connection: what is written but not yet sent, how it is sent, and its waiters.</summary>
/// <remarks>
/// <para>Theory of operation. Written data goes into the buffer, and the owner's call sends it: at the end of a turn, so that everything
/// written in it is sent together; at once if much is waiting; or when the descriptor has become writable. Sending continues until the
/// buffer is empty, the descriptor would block, or the turn's budget is spent.</para>
/// <para>Positions count bytes since the connection began. A write or flush waits for a position, and completes when that many bytes have
/// been sent. Positions are in the order of the writes, and so are the completions.</para>
/// <para>A user's hook may run inside a send, and may close the stream: the buffer is then returned, and this half has nothing to
/// send.</para>
/// </remarks>
internal struct WriteHalf()
{
    // What may be sent within a turn. The kernel usually accepts less than this before it is full, except on a loopback whose reader keeps
    // up.
    private const ushort Budget = 1024; // KiB

    private WriteBuffer? _buffer; // while there is something to send
    private WriteWaiters? _waiters; // after the first wait
    private ByteBudget _budget = new();

    [InlineArray(FileDescriptors.MaxGather)]
    private struct Pieces
    {
        private ReadOnlyMemory<byte> _first;
    }

    /// <summary>Bytes that wait to be sent.</summary>
    internal readonly long Unsent => _buffer?.Length ?? 0;

    /// <summary>The position after what has been sent.</summary>
    internal long SentPosition { readonly get; private set; }

    /// <summary>The position after what has been written.</summary>
    internal readonly long WrittenPosition => SentPosition + Unsent;

    /// <summary>Since when there has been something that could not be sent; none while everything is sent at once.</summary>
    internal readonly Moment WaitsSince => _buffer?.WaitsSince ?? default;

    /// <summary>When sending blocked last, after some was sent.</summary>
    internal readonly Moment BlockedSince => _buffer?.BlockedSince ?? default;

    /// <summary>A write or flush waits.</summary>
    internal readonly bool HasWaiters => _waiters is { HasWaiters: true };

    /// <summary>The time limits of sending; null if they have not been needed yet.</summary>
    internal WriteClock? Clock { readonly get; set; }

    /// <summary>A call on the descriptor is in progress.</summary>
    internal bool IsSending { readonly get; private set; }

    /// <summary>The owner will send at the end of the turn.</summary>
    internal bool IsFlushQueued { readonly get; set; }

    /// <summary>The budget was spent, and the owner will send in the next turn.</summary>
    internal bool IsResumeQueued { readonly get; set; }

    /// <summary>The system has no memory, and no event for when it has: nothing is sent until a pause is over.</summary>
    internal bool IsPaused { readonly get; set; }

    private WriteBuffer Buffer => _buffer ??= WriteBuffer.Rent();

    private WriteWaiters Waiters => _waiters ??= new WriteWaiters();

    /// <summary>Copies the data into the buffer.</summary>
    internal void Append(ReadOnlySpan<byte> data) => Buffer.Append(data);

    /// <summary>Queues everything in a buffer, which belongs to this half from now on.</summary>
    internal void Append(WriteBuffer data)
    {
        if (_buffer is null)
        {
            data.EndReserve();
            _buffer = data;
            return;
        }

        _buffer.Append(data);
        data.Return();
    }

    /// <summary>Gives the buffer with all that is unsent away. Null if there is none.</summary>
    internal WriteBuffer? TakeBuffer()
    {
        WriteBuffer? buffer = _buffer;
        _buffer = null;
        return buffer;
    }

    /// <summary>Queues memory that must not change until it has been sent.</summary>
    internal void AppendUncopied(ReadOnlyMemory<byte> data) => Buffer.AppendUncopied(data);

    /// <summary>Lends memory to write into.</summary>
    internal Memory<byte> Reserve(int minimum) => Buffer.Reserve(minimum);

    /// <summary>Adds what was written into the lent memory. False if none was lent, or less.</summary>
    internal readonly bool CommitReserved(int count) => _buffer?.CommitReserved(count) == true;

    /// <summary>Sending has blocked, now.</summary>
    internal readonly void NoteBlocked(Moment now)
    {
        if (_buffer is null) return;
        _buffer.BlockedSince = now;
        if (_buffer.WaitsSince.IsNone) _buffer.WaitsSince = now;
    }

    /// <summary>Sends what the descriptor accepts, within the turn's budget.</summary>
    /// <returns>False if the budget was spent first.</returns>
    internal bool Send(IHalfOwner owner, ref StreamState state, long turn)
    {
        IsSending = true;
        try
        {
            while (state.IsWritable && Unsent > 0)
            {
                if (_budget.IsSpent(turn, Budget)) return false;
                SendOnce(owner, ref state);
            }
        }
        finally
        {
            IsSending = false;
        }

        if (Unsent == 0) Clock?.Stop();
        return true;
    }

    /// <summary>Sends in this turn have no limit.</summary>
    internal void LiftBudget(long turn) => _budget.Lift(turn);

    /// <summary>Sends data at once, without a copy, if nothing is queued before it.</summary>
    /// <returns>The number of bytes sent.</returns>
    internal int SendDirectly(IHalfOwner owner, ref StreamState state, ReadOnlySpan<byte> data)
    {
        Debug.Assert(Unsent == 0, "There is something in front.");
        return Advance(owner, ref state, owner.Send(data), data.Length);
    }

    /// <summary>Returns the buffer if it is empty.</summary>
    internal void ReturnBuffer()
    {
        if (_buffer is not { IsUnused: true } buffer) return;
        _buffer = null;
        buffer.Return();
    }

    /// <summary>Drops what has not been sent, and the time limit with it.</summary>
    internal void Drop()
    {
        _buffer?.Clear();
        ReturnBuffer();
        Clock?.Cancel();
    }

    /// <summary>Waits for a position.</summary>
    internal ValueTask WaitAsync(IWriteOwner owner, long position, bool isFlush, CancellationToken cancellationToken) =>
        Waiters.Add(owner, position, isFlush, cancellationToken);

    /// <summary>Sets the callback that runs when everything written so far has been sent.</summary>
    internal void SetCallback(Action callback) => Waiters.SetCallback(callback, WrittenPosition);

    /// <summary>The next operation whose position has been sent.</summary>
    internal readonly WriteOperation? TakeReleased() =>
        _waiters is { } waiters && waiters.TryTake(SentPosition, out WriteOperation? operation) ? operation : null;

    /// <summary>The callback, if everything before it has been sent.</summary>
    internal readonly Action? TakeCallback() => _waiters?.TakeCallback(SentPosition);

    /// <summary>Removes the waiters, since nothing more will be sent for them.</summary>
    internal WriteWaiters? TakeWaiters()
    {
        WriteWaiters? waiters = _waiters;
        _waiters = null;
        return waiters;
    }

    /// <summary>Removes an operation whose wait was cancelled. False if it had completed.</summary>
    internal readonly bool Remove(WriteOperation operation) => _waiters?.Remove(operation) == true;

    private void SendOnce(IHalfOwner owner, ref StreamState state)
    {
        int? count = _buffer!.IsScattered ? SendPieces(owner, out int offered) : SendPiece(owner, out offered);
        int sent = Advance(owner, ref state, count, offered);
        // Not the buffer that was sent from: if the hook has closed the stream, that buffer may already belong to another stream.
        _buffer?.Consume(sent);
    }

    private readonly int? SendPiece(IHalfOwner owner, out int offered)
    {
        ReadOnlyMemory<byte> data = _buffer!.First;
        offered = data.Length;
        return owner.Send(data);
    }

    // Separate from the usual overload, because the memory for the pieces has to be cleared.
    private readonly int? SendPieces(IHalfOwner owner, out int offered)
    {
        Pieces pieces = default;
        int count = _buffer!.Gather(pieces, out offered);
        return owner.Send(((ReadOnlySpan<ReadOnlyMemory<byte>>)pieces)[..count]);
    }

    /// <summary>Accounts for a send. A short one may mean that the descriptor is full.</summary>
    private int Advance(IHalfOwner owner, ref StreamState state, int? count, int offered)
    {
        int sent = count ?? 0;
        Debug.Assert(sent <= offered, "More was sent than was offered.");
        SentPosition += sent;
        _budget.Spend(sent);
        owner.OnSent(sent);
        Clock?.Send(sent);
        bool isFull = sent == 0 || (sent < offered && (owner.Traits & DescriptorTraits.ShortMeansBlocked) != 0);
        if (!isFull) return sent;
        bool isNews = sent > 0 || state.IsWritable;
        state.ClearWritable();
        owner.OnSendBlocked(isNews);
        return sent;
    }
}
