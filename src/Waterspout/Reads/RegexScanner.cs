using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace Waterspout.Reads;

/// <summary>Looks for a regular expression in bytes that arrive piece by piece, without starting over at each piece.</summary>
/// <remarks>
/// <para>Theory of operation. .NET matches characters, so the bytes are kept widened (Latin-1: byte n is U+00n), each once.
/// It also cannot stop at the end of the data and go on later, so a plain search would begin at the first byte at each
/// arrival, and the cost would grow with the square of the message.</para>
/// <para>But when there was no match before, a match that is there now ends in what is new. So for a small arrival behind a
/// long message the question is turned round: does a match end at this position? That is the same expression matched from
/// right to left, anchored at the position, and costs as much as the match is long. Only when one does, the real search
/// runs, once, to find the leftmost match. An arrival that is large beside what was there is searched as a whole:
/// the message has then grown by half, and the total stays proportional to its length.</para>
/// <para>What is cheap from the left need not be from the right, up to an expression that is exponential in that direction
/// alone. So the time is limited, and a read that has passed the limit searches as a whole from then on.</para>
/// <para>Expressions that look ahead, or whose parts depend on the direction (atomic groups, back references, conditions,
/// balancing groups, \G), are always searched as a whole.</para>
/// </remarks>
internal sealed class RegexScanner(Regex regex)
{
    // Below this a whole search costs less than setting up the others.
    private const int SmallMessage = 1024;

    // The clock is looked at now and then: a step may take less time than the look.
    private const int StepsPerLook = 16;

    private static readonly ConcurrentDictionary<(string Pattern, RegexOptions Options), Regex?> s_reversed = new();

    // Far more than a search that is worth its while takes, and what a loop can be held for once.
    private static readonly TimeSpan s_limit = TimeSpan.FromMilliseconds(10);

    private Regex? _reversed = GetReversed(regex);
    private char[] _text = [];
    private int _length;

    /// <summary>The end of the leftmost match, or -1. The data is that of the call before, and what has come since.</summary>
    internal int FindEnd(ReadOnlySpan<byte> data)
    {
        int before = _length;
        Widen(data);
        ReadOnlySpan<char> text = _text.AsSpan(0, _length);
        if (_reversed is not null && before > SmallMessage && _length - before < before / 2 && !EndsAfter(text, before)) return -1;
        foreach (ValueMatch match in regex.EnumerateMatches(text)) return match.Index + match.Length;
        return -1;
    }

    /// <summary>Gives back what is rented.</summary>
    internal void Release()
    {
        if (_text.Length > 0) ArrayPool<char>.Shared.Return(_text);
        _text = [];
    }

    // A match may also end where the old data ended, when what comes next decides (\b, $).
    private bool EndsAfter(ReadOnlySpan<char> text, int before)
    {
        long begun = Stopwatch.GetTimestamp();
        try
        {
            for (int end = before; end <= text.Length && _reversed is not null; end++)
            {
                if (_reversed.IsMatch(text, end)) return true;
                if (end % StepsPerLook == 0 && Stopwatch.GetElapsedTime(begun) > s_limit) _reversed = null;
            }
        }
        catch (RegexMatchTimeoutException)
        {
            _reversed = null;
        }

        return _reversed is null;
    }

    private void Widen(ReadOnlySpan<byte> data)
    {
        if (data.Length > _text.Length)
        {
            char[] larger = ArrayPool<char>.Shared.Rent(Math.Max(256, data.Length + (data.Length / 2)));
            _text.AsSpan(0, _length).CopyTo(larger);
            Release();
            _text = larger;
        }

        Encoding.Latin1.GetChars(data[_length..], _text.AsSpan(_length));
        _length = data.Length;
    }

    private static Regex? GetReversed(Regex regex)
    {
        if (s_reversed.Count > 1000) s_reversed.Clear(); // patterns made at run time must not pile up
        return s_reversed.GetOrAdd((regex.ToString(), regex.Options), static key => Reverse(key.Pattern, key.Options));
    }

    private static Regex? Reverse(string pattern, RegexOptions options)
    {
        if (options.HasFlag(RegexOptions.RightToLeft) || options.HasFlag(RegexOptions.ECMAScript) || !IsReversible(pattern)) return null;
        options &= ~(RegexOptions.NonBacktracking | RegexOptions.Compiled);
        try
        {
            return new Regex($"(?:{pattern})\\G", options | RegexOptions.RightToLeft, s_limit);
        }
        catch (ArgumentException)
        {
            // A pattern that cannot be put in brackets, since it ends in a comment.
            return null;
        }
    }

    private static bool IsReversible(string pattern)
    {
        for (int i = 0; i + 1 < pattern.Length; i++)
        {
            if (pattern[i] == '\\')
            {
                char escaped = pattern[++i];
                if (char.IsAsciiDigit(escaped) || escaped is 'k' or 'G' or '<' or '\'') return false;
            }
            else if (pattern[i] == '(' && pattern[i + 1] == '?')
            {
                ReadOnlySpan<char> group = pattern.AsSpan(i + 2);
                bool isNamed = group.StartsWith("<") || group.StartsWith("'");
                bool isPlain = group.StartsWith(":") || isNamed || (group.Length > 0 && char.IsAsciiLetter(group[0]));
                if (!isPlain || (isNamed && IsBalancing(group[1..]))) return false;
            }
        }

        return true;
    }

    // The name has a minus, as in (?<-open>...). A lookbehind, which begins with = or !, has no name.
    private static bool IsBalancing(ReadOnlySpan<char> name)
    {
        int end = name.IndexOfAny('>', '\'');
        return end > 0 && name[0] is not ('=' or '!') && name[..end].Contains('-');
    }
}
