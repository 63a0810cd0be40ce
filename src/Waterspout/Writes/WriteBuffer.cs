using System.Buffers;
using System.Diagnostics;
using Waterspout.Loop;

namespace Waterspout.Writes;

/// <summary>Bytes that have been written but not sent, in order: copies in rented arrays, and the caller's memory.</summary>
/// <remarks>
/// One segment is part of the object, since one block nearly always holds everything; further segments are in a ring. Arrays are returned
/// when the last of their bytes has been sent, except for one block, which belongs to the buffer. The buffer itself is rented while there
/// is something to send, from a per-thread pool: every stream that answers in a turn holds a block until the turn's end, and the shared
/// pool keeps only 32 arrays of a size per core. Of 64 connections on one core, half allocated 4 KiB an answer.
/// </remarks>
internal sealed class WriteBuffer
{
    // Holds most messages. More data goes into larger arrays, from the shared pool.
    private const int BlockSize = 4 * 1024;

    // Further arrays are larger, since there is evidently more data.
    private const int LargestArray = 64 * 1024;

    // A copy of this size costs less than one more piece in a gathering call.
    private const int LargestCopied = 1024;

    // The largest ring that a returned buffer may keep. Otherwise the pool would hold many rings of the largest size ever needed.
    private const int LargestRing = 16;

    private byte[]? _block; // when it is not in use
    private Segment _head;
    private Segment[] _rest = []; // after the head
    private int _restStart;
    private int _count;
    private bool _isReserved; // the rest of the last segment is lent for writing

    private struct Segment
    {
        public byte[]? Rented;
        public ReadOnlyMemory<byte> External;
        public int Start;
        public int End;

        public readonly int Length => End - Start;

        public readonly int Room => Rented is null ? 0 : Rented.Length - End;

        public readonly ReadOnlyMemory<byte> Data => Rented is null ? External[Start..End] : Rented.AsMemory(Start, Length);
    }

    /// <summary>Bytes in the buffer.</summary>
    internal long Length { get; private set; }

    /// <summary>Since when there has been something that could not be sent. Kept here, which an idle stream does not have.</summary>
    internal Moment WaitsSince { get; set; }

    /// <summary>When sending blocked last, after some was sent.</summary>
    internal Moment BlockedSince { get; set; }

    /// <summary>Nothing is buffered, and no space is lent.</summary>
    internal bool IsUnused => _count == 0;

    /// <summary>There is more than one piece, so a gathering call pays.</summary>
    internal bool IsScattered => _count > 1;

    internal ReadOnlyMemory<byte> First => _head.Data;

    private ref Segment Tail => ref this[_count - 1];

    private ref Segment this[int index] => ref index == 0 ? ref _head : ref _rest[(_restStart + index - 1) % _rest.Length];

    internal static WriteBuffer Rent() => OperationPool<WriteBuffer>.Rent();

    /// <summary>Returns an unused buffer to the pool.</summary>
    internal void Return()
    {
        Debug.Assert(IsUnused, "The buffer is in use.");
        if (_rest.Length > LargestRing) _rest = [];
        WaitsSince = BlockedSince = default;
        OperationPool<WriteBuffer>.Return(this);
    }

    /// <summary>Copies the data into the buffer.</summary>
    internal void Append(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            ref Segment tail = ref TailWithRoom(1, data.Length);
            Span<byte> room = tail.Rented.AsSpan(tail.End);
            int count = Math.Min(room.Length, data.Length);
            data[..count].CopyTo(room);
            tail.End += count;
            Length += count;
            data = data[count..];
        }
    }

    /// <summary>
    /// Takes everything out of another buffer, which is empty afterwards. Little data is copied, so that it is sent in one piece.
    /// </summary>
    internal void Append(WriteBuffer other)
    {
        other._isReserved = false;
        while (other._count > 0)
        {
            if (other._head.Length <= Math.Min(LargestCopied, _count == 0 ? 0 : Tail.Room))
            {
                Append(other._head.Data.Span);
            }
            else
            {
                Add(other._head);
                Length += other._head.Length;
                other._head.Rented = null; // its array belongs to this buffer now
            }

            other.DropHead();
        }

        other.Length = 0;
    }

    /// <summary>Queues the caller's memory, which must not change until it has been sent.</summary>
    internal void AppendUncopied(ReadOnlyMemory<byte> data)
    {
        Add(new Segment { External = data, End = data.Length });
        Length += data.Length;
    }

    /// <summary>
    /// Lends at least <paramref name="minimum"/> bytes for writing, until <see cref="CommitReserved"/> or another write.
    /// </summary>
    internal Memory<byte> Reserve(int minimum)
    {
        ref Segment tail = ref TailWithRoom(minimum, minimum);
        _isReserved = true;
        return tail.Rented.AsMemory(tail.End);
    }

    /// <summary>Adds what was written into the lent space. False if none is lent, or less.</summary>
    /// <param name="count">The number of bytes.</param>
    /// <param name="staysLent">More may be written into the rest of the space.</param>
    internal bool CommitReserved(int count, bool staysLent = false)
    {
        if (!_isReserved || count > Tail.Room) return false;
        _isReserved = staysLent;
        Tail.End += count;
        Length += count;
        return true;
    }

    /// <summary>Ends the loan of the rest of the space, which would stay with a buffer that is sent.</summary>
    internal void EndReserve() => _isReserved = false;

    /// <summary>
    /// The first pieces for a gathering call, and their total length, which does not exceed what one call can report as sent.
    /// </summary>
    internal int Gather(Span<ReadOnlyMemory<byte>> pieces, out int length)
    {
        int most = Math.Min(pieces.Length, _count);
        length = 0;
        int count = 0;
        for (; count < most && this[count].Length <= int.MaxValue - length; count++)
        {
            pieces[count] = this[count].Data;
            length += pieces[count].Length;
        }

        return count;
    }

    /// <summary>Drops sent bytes from the front.</summary>
    internal void Consume(int count)
    {
        Length -= count;
        while (_count > 0)
        {
            int step = Math.Min(count, _head.Length);
            _head.Start += step;
            count -= step;
            // Lent space stays in place until something is written into it, or appended elsewhere.
            if (_head.Length > 0 || (_isReserved && _count == 1)) return;
            DropHead();
        }

        Debug.Assert(count == 0, "More bytes were consumed than there are.");
    }

    internal void Clear()
    {
        while (_count > 0) DropHead();
        Length = 0;
        _rest = [];
        _isReserved = false;
    }

    /// <summary>Removes everything, and returns the buffer.</summary>
    internal void Discard()
    {
        Clear();
        Return();
    }

    private ref Segment TailWithRoom(int minimum, int wanted)
    {
        _isReserved = false;
        if (_count == 0 || Tail.Room < minimum) Add(new Segment { Rented = RentArray(NextSize(minimum, wanted)) });
        return ref Tail;
    }

    private int NextSize(int minimum, int wanted)
    {
        long size = Length == 0 ? BlockSize : Math.Min(LargestArray, Length * 2);
        return (int)Math.Max(minimum, Math.Max(size, Math.Min(wanted, LargestArray)));
    }

    private void Add(Segment segment)
    {
        _isReserved = false;
        if (_count == _rest.Length + 1) Grow();
        _count++;
        Tail = segment;
    }

    private void DropHead()
    {
        if (_head.Rented is { } array) ReturnArray(array);
        _head = default;
        if (--_count == 0) return;
        (_head, _rest[_restStart]) = (_rest[_restStart], default);
        _restStart = (_restStart + 1) % _rest.Length;
    }

    private void Grow()
    {
        Segment[] larger = new Segment[_count * 2];
        for (int i = 1; i < _count; i++) larger[i - 1] = this[i];
        _rest = larger;
        _restStart = 0;
    }

    private byte[] RentArray(int size)
    {
        if (size > BlockSize) return ArrayPool<byte>.Shared.Rent(size);
        byte[] block = _block ?? GC.AllocateUninitializedArray<byte>(BlockSize);
        _block = null;
        return block;
    }

    private void ReturnArray(byte[] array)
    {
        if (array.Length == BlockSize) _block = array;
        else ArrayPool<byte>.Shared.Return(array);
    }
}
