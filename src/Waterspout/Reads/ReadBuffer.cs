using System.Buffers;
using System.Diagnostics;
using System.Numerics;
using Waterspout.Searching;

namespace Waterspout.Reads;

/// <summary>Bytes that have arrived and have not been read, contiguous, so that they can be searched and lent as a span.</summary>
/// <remarks>
/// Use: <see cref="GetSpace"/>, receive into it, <see cref="Commit"/>; read <see cref="Data"/>, <see cref="Consume"/>. The array is rented
/// while it contains bytes: an empty buffer holds none. Consuming moves an index. Bytes are moved only to the front of an array that is
/// more than half consumed, or to a larger one, twice the size, so each byte is copied a bounded number of times.
/// </remarks>
internal sealed class ReadBuffer
{
    // Arrays below this size are not worth replacing by smaller ones.
    private const int KeepSize = 16 * 1024;
    private const int SmallestSize = 256;

    private byte[] _array = [];
    private int _start;
    private int _end;

    /// <summary>Memory is rented, for the bytes or for another form of them.</summary>
    internal bool HoldsMemory => _array.Length > 0 || HoldsView;

    internal bool HoldsView => View is { HoldsMemory: true };

    internal int Length => _end - _start;

    /// <summary>The number of bytes consumed in all: the position of the data in the stream.</summary>
    internal long Position { get; private set; }

    /// <summary>A form of the data that a search keeps: released with the data, or earlier if it is no longer useful.</summary>
    internal IBufferView? View { get; set; }

    internal ReadOnlySpan<byte> Data => _array.AsSpan(_start, _end - _start);

    internal ReadOnlyMemory<byte> Memory => _array.AsMemory(_start, _end - _start);

    /// <summary>Free bytes after the data.</summary>
    internal int Room => _array.Length - _end;

    /// <summary>At least <paramref name="minimum"/> free bytes after the data; <paramref name="whenEmpty"/> if there is no data.</summary>
    internal Memory<byte> GetSpace(int minimum, int whenEmpty)
    {
        if (_array.Length - _end < minimum || _array.Length == 0) MakeSpace(Length == 0 ? Math.Max(minimum, whenEmpty) : minimum);
        return _array.AsMemory(_end);
    }

    internal void Commit(int count)
    {
        Debug.Assert(count >= 0 && _end + count <= _array.Length, "More bytes were committed than there was space for.");
        _end += count;
    }

    internal void Consume(int count)
    {
        Debug.Assert(count >= 0 && count <= Length, "More bytes were consumed than there are.");
        _start += count;
        Position += count;
        if (_start == _end) Release();
    }

    internal byte[] TakeArray(int count)
    {
        byte[] taken = Data[..count].ToArray();
        Consume(count);
        return taken;
    }

    internal void Append(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty) return;
        data.CopyTo(GetSpace(data.Length, data.Length).Span);
        Commit(data.Length);
    }

    /// <summary>Puts bytes back at the front, after they were taken for a read that was then cancelled.</summary>
    internal void Unread(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty) return;
        if (_start < data.Length) Move(Rent(data.Length + Length), data.Length);
        _start -= data.Length;
        Position -= data.Length;
        data.CopyTo(_array.AsSpan(_start));
    }

    /// <summary>Replaces a large array by one that fits the few bytes left in it. Called when the stream begins to wait.</summary>
    internal void Trim()
    {
        if (Length == 0)
        {
            Release();
        }
        else if (_array.Length > KeepSize && Length <= _array.Length / 4)
        {
            Move(Rent(Length * 2), 0);
            View?.Release();
        }
    }

    internal void Release()
    {
        if (_array.Length > 0) ArrayPool<byte>.Shared.Return(_array);
        _array = [];
        _start = _end = 0;
        View?.Release();
    }

    private static byte[] Rent(int size) =>
        ArrayPool<byte>.Shared.Rent(Math.Max(SmallestSize, size > 1 << 30 ? size : (int)BitOperations.RoundUpToPowerOf2((uint)size)));

    private void MakeSpace(int minimum)
    {
        int needed = checked(Length + minimum);
        if (needed <= _array.Length && _start >= _array.Length / 2)
            Move(_array, 0);
        else
            Move(Rent((int)Math.Min(Array.MaxLength, Math.Max(needed, 2L * Length))), 0);
    }

    private void Move(byte[] target, int offset)
    {
        int length = Length;
        Data.CopyTo(target.AsSpan(offset));
        if (target != _array && _array.Length > 0) ArrayPool<byte>.Shared.Return(_array);
        _array = target;
        _start = offset;
        _end = offset + length;
    }
}
