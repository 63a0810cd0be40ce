using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;

namespace Waterspout.Searching;

/// <summary>Looks for a regular expression in bytes that arrive piece by piece, without starting over at each piece.</summary>
/// <remarks>
/// <para>Theory of operation. .NET matches characters, so the bytes are kept widened (Latin-1: byte n is U+00n), each once:
/// also from one read to the next, since many short ones may come out of one arrival. .NET also cannot stop at the end of
/// the data and go on later, so a plain search would begin at the first byte at each arrival, and the cost would grow with
/// the square of the message.</para>
/// <para>But when there was no match before, a match that is there now ends in what is new. Where every match ends with the
/// same character, as those of <c>\r?\n</c> do, and it is not there, that is the answer, and nothing is widened for it.</para>
/// <para>Else, for a small arrival behind a long message the question is turned round: does a match end here or later? That is
/// the same expression in a lookbehind (see <see cref="LookbehindCache"/>), which costs as much as what is new is long. Only when
/// one does, the real search runs, once, to find the leftmost match. An arrival that is large beside what was there is searched
/// as a whole: the message has then grown by half, and the total stays proportional to its length.</para>
/// </remarks>
internal sealed class RegexScanner(Regex regex)
{
    // Below this a whole search costs next to nothing.
    private const int SmallMessage = 1024;

    // A thread that the system has not let run for the time of the limit looks like an expression that is too expensive.
    private const int Patience = 3;

    private readonly char? _last = RegexPattern.LastCharacter(regex);
    private int _timeouts; // of the search for endings, which is given up when it proves too expensive
    private char[] _text = [];
    private int _start;
    private int _length;
    private int _searched; // bytes at the front that have no match in them, widened or not
    private long _position; // of the first character in the stream

    internal Regex Regex => regex;

    /// <summary>Something is rented.</summary>
    internal bool HoldsText => _text.Length > 0;

    /// <summary>The end of the leftmost match, or -1.</summary>
    /// <param name="data">Everything that is buffered.</param>
    /// <param name="position">How many bytes of the stream were in front of that.</param>
    internal int FindEnd(ReadOnlySpan<byte> data, long position = 0)
    {
        DropConsumed(position);
        int end = HasEnding(data[_searched..]) ? Search(data) : -1;
        _searched = end < 0 ? data.Length : 0;
        return end;
    }

    /// <summary>Gives back what is rented.</summary>
    internal void Release()
    {
        if (_text.Length > 0) ArrayPool<char>.Shared.Return(_text);
        _text = [];
        _start = _length = _searched = 0;
    }

    private bool HasEnding(ReadOnlySpan<byte> added) => _last is not { } last || added.Contains((byte)last);

    private int Search(ReadOnlySpan<byte> data)
    {
        Widen(data);
        ReadOnlySpan<char> text = _text.AsSpan(_start, _length);
        if (!MayEndBehind(text, _searched)) return -1;
        foreach (ValueMatch match in regex.EnumerateMatches(text)) return match.Index + match.Length;
        return -1;
    }

    /// <summary>False where it is certain that no match ends behind what was searched before.</summary>
    private bool MayEndBehind(ReadOnlySpan<char> text, int searched)
    {
        if (_timeouts >= Patience || searched <= SmallMessage || text.Length - searched >= searched / 2) return true;
        if (LookbehindCache.TryGet(regex) is not { } endings) return true;
        try
        {
            // A match may also end just where the old data ended, when what comes next decides (\b, $).
            return endings.IsMatch(text, searched);
        }
        catch (RegexMatchTimeoutException)
        {
            _timeouts++;
            return true;
        }
    }

    // What a read has taken, this one or another, is gone from the front. Bytes that came back to it were never widened here.
    private void DropConsumed(long position)
    {
        long consumed = position - _position;
        _position = position;
        if (consumed == 0) return;
        if (consumed < 0 || consumed > _length) consumed = _length;
        _start += (int)consumed;
        _length -= (int)consumed;
        _searched = 0;
        if (_length == 0) _start = 0;
    }

    private void Widen(ReadOnlySpan<byte> data)
    {
        if (data.Length > _text.Length - _start) MakeRoom(data.Length);
        Encoding.Latin1.GetChars(data[_length..], _text.AsSpan(_start + _length));
        _length = data.Length;
    }

    private void MakeRoom(int length)
    {
        char[] target = _text;
        if (length > _text.Length) target = ArrayPool<char>.Shared.Rent((int)Math.Clamp(length + (length / 2L), 256, Array.MaxLength));
        _text.AsSpan(_start, _length).CopyTo(target);
        if (target != _text && _text.Length > 0) ArrayPool<char>.Shared.Return(_text);
        _text = target;
        _start = 0;
    }
}
