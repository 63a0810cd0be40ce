using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;

namespace Waterspout.Searching;

/// <summary>Searches for a regular expression in bytes that arrive piece by piece, without starting over at each piece.</summary>
/// <remarks>
/// <para>Theory of operation. .NET matches characters, so the bytes are kept widened (Latin-1: byte n is U+00n). Each is widened once, also
/// from one read to the next, since one arrival may satisfy many short reads. .NET also cannot pause at the end of the data and resume
/// later, so a plain search would start at the first byte at each arrival, and the cost would grow with the square of the message.</para>
/// <para>But if there was no match before, a match that is there now ends in the new data. If every match ends with the same character, as
/// those of <c>\r?\n</c> do, and the new data does not contain it, there is no match, and nothing is widened.</para>
/// <para>Otherwise, for a small arrival after a long message, the question is reversed: does a match end here or later? That is the same
/// expression in a lookbehind (see <see cref="LookbehindCache"/>), whose cost depends only on the length of the new data. Only if a match
/// ends there does the real search run, once, to find the leftmost match. An arrival that is large compared with what was there is searched
/// as a whole: the message has then grown by half, so the total stays proportional to its length.</para>
/// </remarks>
internal sealed class RegexScanner(Regex regex) : IBufferView
{
    // Below this size a full search costs next to nothing.
    private const int SmallMessage = 1024;

    // A thread that was not scheduled for the duration of the limit looks like an expression that is too expensive.
    private const int MaxTimeouts = 3;

    private readonly char? _last = RegexPattern.LastCharacter(regex);
    private int _timeouts; // of the lookbehind search, which is no longer used when it proves too expensive
    private char[] _text = [];
    private int _start;
    private int _length;
    private int _searched; // bytes at the front without a match, widened or not
    private long _position; // of the first character in the stream

    internal Regex Regex => regex;

    /// <summary>Rented text is held.</summary>
    public bool HoldsMemory => _text.Length > 0;

    /// <summary>The position after the leftmost match, or -1.</summary>
    /// <param name="data">Everything that is buffered.</param>
    /// <param name="position">The position of that data in the stream.</param>
    internal int FindEnd(ReadOnlySpan<byte> data, long position = 0)
    {
        DropConsumed(position);
        int end = HasEnding(data[_searched..]) ? Search(data) : -1;
        _searched = end < 0 ? data.Length : 0;
        return end;
    }

    /// <summary>Returns the rented text.</summary>
    public void Release()
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

    /// <summary>False if it is certain that no match ends after what was searched before.</summary>
    private bool MayEndBehind(ReadOnlySpan<char> text, int searched)
    {
        if (_timeouts >= MaxTimeouts || searched <= SmallMessage || text.Length - searched >= searched / 2) return true;
        if (LookbehindCache.TryGet(regex) is not { } endings) return true;
        try
        {
            // A match may also end exactly where the old data ended, if what comes next decides (\b, $).
            return endings.IsMatch(text, searched);
        }
        catch (RegexMatchTimeoutException)
        {
            _timeouts++;
            return true;
        }
    }

    // What this or another read has consumed is removed from the front. Bytes returned to the front were never widened here.
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
