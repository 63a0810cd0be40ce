using System.Buffers;

namespace Waterspout.Searching;

/// <summary>Finds the first of several delimiters in data that arrives piece by piece, looking at each byte once.</summary>
/// <remarks>
/// The one whose end comes first is the one, so a search for the last bytes of all of them, by vectors, stops at nothing else than possible
/// ends.
/// </remarks>
internal sealed class DelimiterSet
{
    [ThreadStatic] private static DelimiterSet? t_last;

    private readonly byte[][] _delimiters;
    private readonly SearchValues<byte> _lastBytes;

    private DelimiterSet(ReadOnlySpan<ReadOnlyMemory<byte>> delimiters)
    {
        _delimiters = new byte[delimiters.Length][];
        byte[] lastBytes = new byte[delimiters.Length];
        for (int i = 0; i < delimiters.Length; i++)
        {
            _delimiters[i] = delimiters[i].ToArray();
            lastBytes[i] = _delimiters[i][^1];
        }

        _lastBytes = SearchValues.Create(lastBytes);
    }

    /// <summary>A copy of the delimiters. Reads of a thread that follow each other with the same ones share it.</summary>
    internal static DelimiterSet Get(ReadOnlySpan<ReadOnlyMemory<byte>> delimiters) =>
        t_last is { } last && last.Has(delimiters) ? last : t_last = new DelimiterSet(delimiters);

    /// <summary>The end of the delimiter that ends first, or -1; of several that end there, that of the longest one.</summary>
    /// <param name="data">Everything that is buffered.</param>
    /// <param name="scanned">How many bytes at the front were searched before, in vain.</param>
    /// <param name="which">Which one it is: of two that are the same, the first.</param>
    internal int FindEnd(ReadOnlySpan<byte> data, int scanned, out int which)
    {
        for (int end = scanned; data[end..].IndexOfAny(_lastBytes) is >= 0 and var index;)
        {
            end += index + 1;
            which = LongestAtEnd(data[..end]);
            if (which >= 0) return end;
        }

        which = -1;
        return -1;
    }

    private int LongestAtEnd(ReadOnlySpan<byte> data)
    {
        int longest = -1;
        for (int i = 0; i < _delimiters.Length; i++)
        {
            bool isLonger = longest < 0 || _delimiters[i].Length > _delimiters[longest].Length;
            if (isLonger && data.EndsWith(_delimiters[i])) longest = i;
        }

        return longest;
    }

    private bool Has(ReadOnlySpan<ReadOnlyMemory<byte>> delimiters)
    {
        if (delimiters.Length != _delimiters.Length) return false;
        for (int i = 0; i < delimiters.Length; i++)
            if (!delimiters[i].Span.SequenceEqual(_delimiters[i])) return false;
        return true;
    }
}
