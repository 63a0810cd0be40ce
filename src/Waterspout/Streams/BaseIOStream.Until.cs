using System.Text.RegularExpressions;
using Waterspout.Reads;
using Waterspout.Searching;

namespace Waterspout;

// Reads up to a delimiter, or to the end of a match.
public abstract partial class BaseIOStream
{
    /// <summary>Reads up to and including <paramref name="delimiter"/>.</summary>
    /// <param name="delimiter">One byte or more. Copied if the read has to wait.</param>
    /// <param name="maxBytes">The most bytes that the result may have, including the delimiter.</param>
    /// <param name="cancellationToken">Cancelling loses no byte, and the stream stays usable.</param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <remarks>
    /// Completion: at once if the delimiter is in the buffer, even after the stream has closed. Each byte is searched once, however the
    /// data arrives. May be called from any thread. Difference from Tornado: a limit that is exceeded does not close the stream.
    /// </remarks>
    /// <example>
    /// <code>
    /// byte[] line = await stream.ReadUntilAsync("\r\n"u8, maxBytes: 1024);
    /// </code>
    /// </example>
    /// <exception cref="ArgumentException">The delimiter is empty, or the limit is not positive.</exception>
    /// <exception cref="InvalidOperationException">A read is already pending; it continues.</exception>
    /// <exception cref="UnsatisfiableReadException">
    /// The delimiter did not arrive within <paramref name="maxBytes"/>. Nothing is consumed, and the stream stays open: see
    /// <see cref="IOStreamOptions.OnReadLimit"/>.
    /// </exception>
    /// <exception cref="StreamClosedException">The stream closed before the delimiter arrived.</exception>
    /// <exception cref="TimeoutException">A time limit expired. No byte is lost.</exception>
    /// <exception cref="OperationCanceledException">The read was cancelled. No byte is lost.</exception>
    public ValueTask<byte[]> ReadUntilAsync(
        ReadOnlySpan<byte> delimiter, int? maxBytes = null, CancellationToken cancellationToken = default, TimeSpan? timeout = null) =>
        ReadUntilAsync(delimiter, ToArray, maxBytes, cancellationToken, timeout);

    /// <summary>
    /// Reads up to and including <paramref name="delimiter"/> and passes the data to <paramref name="parse"/> in the stream's own buffer,
    /// without a copy.
    /// </summary>
    /// <param name="delimiter">One byte or more. Copied if the read has to wait.</param>
    /// <param name="parse">
    /// Returns the result. The span, which ends with the delimiter, is valid during the call only. Runs on the loop, or on the thread that
    /// calls if the bytes are already buffered; must not read from the stream. If it throws, the read fails with that exception, and the
    /// bytes count as read.
    /// </param>
    /// <param name="maxBytes">The most bytes that the span may have, including the delimiter.</param>
    /// <param name="cancellationToken">Cancelling loses no byte, and the stream stays usable.</param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <remarks>Completion and errors are those of the overload without a parser. Tornado has no such form.</remarks>
    public ValueTask<T> ReadUntilAsync<T>(
        ReadOnlySpan<byte> delimiter, Func<ReadOnlySpan<byte>, T> parse, int? maxBytes = null,
        CancellationToken cancellationToken = default, TimeSpan? timeout = null)
    {
        if (delimiter.IsEmpty) throw new ArgumentException("The delimiter is empty.", nameof(delimiter));
        ArgumentNullException.ThrowIfNull(parse);
        CheckLimit(maxBytes, timeout);
        if (!Loop.IsCurrent) return ReadUntilOffLoop(delimiter, parse, maxBytes, cancellationToken, timeout);
        if (!TryBeginRead(cancellationToken, out ValueTask<T> refusal)) return refusal;

        // Data that is already buffered is found without allocating an object for the read.
        ReadBuffer buffer = _reads.Buffer;
        ReadOnlySpan<byte> data = buffer.Data;
        int end = Delimiter.FindEnd(data, delimiter, 0);
        if (end >= 0 && end <= LimitOf(maxBytes)) return ReadBuffered(buffer, end, parse);
        return Read(UntilRead<T>.Rent(delimiter, end < 0 ? data.Length : 0, maxBytes, parse), cancellationToken, timeout);
    }

    /// <summary>Reads up to the end of the leftmost match of <paramref name="regex"/> in what has arrived so far.</summary>
    /// <param name="regex">Matches bytes as the characters U+0000 to U+00FF.</param>
    /// <param name="maxBytes">The most bytes that the result may have.</param>
    /// <param name="cancellationToken">Cancelling loses no byte, and the stream stays usable.</param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <remarks>
    /// Completion: as soon as there is a match. The read does not wait for a match to grow, so what an open-ended expression matches
    /// depends on how the data arrives, as in Tornado. An expression with lookahead, atomic groups, back references or conditions is
    /// searched from the start at each arrival; others are not. May be called from any thread. Errors are those of
    /// <see cref="ReadUntilAsync(ReadOnlySpan{byte}, int?, CancellationToken, TimeSpan?)"/>; the expression's own
    /// <see cref="RegexMatchTimeoutException"/> loses no byte.
    /// </remarks>
    public ValueTask<byte[]> ReadUntilRegexAsync(
        Regex regex, int? maxBytes = null, CancellationToken cancellationToken = default, TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(regex);
        CheckLimit(maxBytes, timeout);
        if (!Loop.IsCurrent)
        {
            return ReadOffLoop((regex, maxBytes, cancellationToken, timeout),
                static (stream, call) => stream.ReadUntilRegexAsync(call.regex, call.maxBytes, call.cancellationToken, call.timeout));
        }

        return TryBeginRead(cancellationToken, out ValueTask<byte[]> refusal)
            ? Read(RegexRead.Rent(GetScanner(regex), maxBytes), cancellationToken, timeout)
            : refusal;
    }

    /// <summary>
    /// Reads up to the end of the leftmost match of a pattern, which is compiled with <see cref="RegexOptions.CultureInvariant"/>.
    /// </summary>
    /// <param name="pattern">A .NET regular expression. Parsed patterns are cached.</param>
    /// <param name="maxBytes">The most bytes that the result may have.</param>
    /// <param name="cancellationToken">Cancelling loses no byte, and the stream stays usable.</param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <inheritdoc cref="ReadUntilRegexAsync(Regex, int?, CancellationToken, TimeSpan?)"/>
    public ValueTask<byte[]> ReadUntilRegexAsync(
        string pattern, int? maxBytes = null, CancellationToken cancellationToken = default, TimeSpan? timeout = null) =>
        ReadUntilRegexAsync(PatternCache.Get(pattern), maxBytes, cancellationToken, timeout);

    private int LimitOf(int? maxBytes) => Math.Min(maxBytes ?? int.MaxValue, Options.BufferLimit);

    // A method of its own: the arguments for the other thread would be cleared on the stack in every call, 7 ns of 40 for a line.
    private ValueTask<T> ReadUntilOffLoop<T>(
        ReadOnlySpan<byte> delimiter, Func<ReadOnlySpan<byte>, T> parse, int? maxBytes, CancellationToken cancellationToken,
        TimeSpan? timeout) =>
        TryTakeLent(new BufferedUntil<T>(delimiter, LimitOf(maxBytes), parse), cancellationToken, out ValueTask<T> found)
            ? found
            : ReadOffLoop((Delimiter: delimiter.ToArray(), parse, maxBytes, cancellationToken, timeout),
                static (stream, call) =>
                    stream.ReadUntilAsync(call.Delimiter, call.parse, call.maxBytes, call.cancellationToken, call.timeout));

    /// <summary>The scanner of the last read, if it was for the same expression: it has the text of the buffered data.</summary>
    private RegexScanner GetScanner(Regex regex)
    {
        if (_reads.Buffer.View is RegexScanner last && last.Regex == regex) return last;
        _reads.Buffer.View?.Release();
        RegexScanner scanner = new(regex);
        _reads.Buffer.View = scanner;
        return scanner;
    }
}
