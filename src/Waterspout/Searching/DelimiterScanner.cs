using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Waterspout.Searching;

/// <summary>Finds one delimiter after another in a single pass through the data.</summary>
/// <remarks>
/// A search that starts after the previous match has to wait for it: the address of its first load depends on it. Here the vectors follow
/// each other whatever they contain, so the processor can load ahead, and all marks in a vector are found at once.
/// </remarks>
internal ref struct DelimiterScanner
{
    private readonly ReadOnlySpan<byte> _data;
    private readonly ReadOnlySpan<byte> _delimiter;
    private readonly Vector512<byte> _last;
    private ulong _marks; // where the delimiter's last byte is, in the vector that ends at _searched
    private int _searched;

    /// <param name="data">Everything that is buffered.</param>
    /// <param name="delimiter">One byte or more.</param>
    /// <param name="searched">How many bytes at the front were already searched without a match.</param>
    internal DelimiterScanner(ReadOnlySpan<byte> data, ReadOnlySpan<byte> delimiter, int searched)
    {
        _data = data;
        _delimiter = delimiter;
        _last = Vector512.Create(delimiter[^1]);
        _searched = searched;
    }

    /// <summary>The position after the next delimiter that begins at or after <paramref name="start"/>, or -1.</summary>
    internal int NextEnd(int start)
    {
        int end;
        do end = NextMark() + 1;
        while (end > 0 && _delimiter.Length > 1 && !IsEnd(start, end));
        return end > 0 ? end : -1;
    }

    private readonly bool IsEnd(int start, int end) =>
        end - start >= _delimiter.Length && _data[(end - _delimiter.Length)..end].SequenceEqual(_delimiter);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int NextMark()
    {
        while (_marks == 0)
        {
            ReadOnlySpan<byte> rest = _data[_searched..];
            if (rest.Length < Vector512<byte>.Count) return NextMarkOfLast(rest);
            _marks = Vector512.Equals(Vector512.Create(rest), _last).ExtractMostSignificantBits();
            _searched += Vector512<byte>.Count;
        }

        int mark = _searched - Vector512<byte>.Count + BitOperations.TrailingZeroCount(_marks);
        _marks &= _marks - 1;
        return mark;
    }

    private int NextMarkOfLast(ReadOnlySpan<byte> rest)
    {
        int index = rest.IndexOf(_delimiter[^1]);
        _searched = index < 0 ? _data.Length : _searched + index + 1;
        return index < 0 ? -1 : _searched - 1;
    }
}
