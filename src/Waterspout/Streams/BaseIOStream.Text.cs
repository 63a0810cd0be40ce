using System.Text;
using Waterspout.Reads;

namespace Waterspout;

// Lines and text.
public abstract partial class BaseIOStream
{
    /// <summary>Reads a line of text.</summary>
    /// <param name="encoding">
    /// UTF-8 when null. Must have LF as one byte, as nearly all have; UTF-16 and UTF-32 have not. What it does with bytes that are no text
    /// is what it was made for: those of <see cref="Encoding"/> put U+FFFD in their place.
    /// </param>
    /// <param name="maxBytes">The most bytes that a line may have, with what ends it.</param>
    /// <param name="cancellationToken">Cancelling loses no byte, and the stream stays usable.</param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <returns>
    /// The line without the LF or CR LF that ends it; null at the regular end of the stream, as often as it is asked for.
    /// </returns>
    /// <remarks>
    /// <para>What comes behind the last LF is the last line, if it is not empty, as for <see cref="StreamReader.ReadLine"/>. A CR without
    /// LF ends no line, and is part of it. A byte order mark is not looked for.</para>
    /// <para>Completion: at once when the line is in the buffer, also after the stream closed. Each byte is looked at once, however it
    /// arrives. Tornado has no such call.</para>
    /// </remarks>
    /// <example>
    /// <code>
    /// string? greeting = await stream.ReadLineAsync(maxBytes: 512); // LF or CR LF; null at the end of the stream
    /// </code>
    /// </example>
    /// <exception cref="ArgumentException">LF takes more than one byte in this encoding, or the limit is not positive.</exception>
    /// <exception cref="DecoderFallbackException">
    /// The bytes are no text in this encoding, and it was made to throw. The line counts as read.
    /// </exception>
    /// <exception cref="InvalidOperationException">A read is under way; it continues.</exception>
    /// <exception cref="UnsatisfiableReadException">
    /// The line is longer than <paramref name="maxBytes"/>. Nothing is read, and the stream stays open: <see cref="DiscardUntilAsync"/>
    /// drops the line.
    /// </exception>
    /// <exception cref="StreamClosedException">
    /// The stream closed before the line ended, and not in the regular way. With an inner <see cref="StreamBufferFullException"/>: the line
    /// is longer than <see cref="IOStreamOptions.MaxBufferSize"/>, and the stream was closed for that.
    /// </exception>
    /// <exception cref="TimeoutException">A time limit expired. No byte is lost.</exception>
    /// <exception cref="OperationCanceledException">The read was cancelled. No byte is lost.</exception>
    public ValueTask<string?> ReadLineAsync(
        Encoding? encoding = null, int? maxBytes = null, CancellationToken cancellationToken = default, TimeSpan? timeout = null)
    {
        encoding ??= Encoding.UTF8;
        // The first two are true for nearly all encodings, and save a call of 5 ns for each line.
        if (!encoding.IsSingleByte && encoding is not UTF8Encoding && encoding.GetByteCount("\n") != 1)
            throw new ArgumentException($"A line feed takes more than one byte in {encoding.WebName}.", nameof(encoding));
        CheckLimit(maxBytes, timeout);
        if (!Loop.IsCurrent)
        {
            return TryTakeLent(new BufferedLine(encoding, LimitOf(maxBytes)), cancellationToken, out ValueTask<string?> found)
                ? found
                : ReadOffLoop((encoding, maxBytes, cancellationToken, timeout),
                    static (stream, call) => stream.ReadLineAsync(call.encoding, call.maxBytes, call.cancellationToken, call.timeout));
        }

        return TryBeginRead(cancellationToken, out ValueTask<string?> refusal)
            ? Read(LineRead.Rent(encoding, maxBytes), cancellationToken, timeout)
            : refusal;
    }

    /// <summary>Writes text.</summary>
    /// <param name="text">May be empty.</param>
    /// <param name="encoding">UTF-8 when null. A byte order mark is not written.</param>
    /// <param name="cancellationToken">Cancelling a write that has begun closes the stream: its bytes are in order among others.</param>
    /// <remarks>Encoded into what waits to be sent, without an array in between; off the loop's thread there is one.</remarks>
    /// <exception cref="EncoderFallbackException">
    /// The text cannot be written in this encoding, and it was made to throw. Nothing is written.
    /// </exception>
    /// <inheritdoc cref="WriteAsync(ReadOnlySpan{byte}, CancellationToken)" path="/remarks|/exception"/>
    public ValueTask WriteAsync(string text, Encoding? encoding = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        return WriteText(text, "", encoding ?? Encoding.UTF8, cancellationToken);
    }

    /// <summary>
    /// Writes text and what ends a line, <see cref="IOStreamOptions.NewLine"/>: LF, or CR LF if the stream was made with that.
    /// </summary>
    /// <param name="text">May be empty. What it has in it that ends a line is written as it is.</param>
    /// <param name="encoding">UTF-8 when null. A byte order mark is not written.</param>
    /// <param name="cancellationToken">Cancelling a write that has begun closes the stream: its bytes are in order among others.</param>
    /// <inheritdoc cref="WriteAsync(string, Encoding?, CancellationToken)" path="/remarks|/exception"/>
    public ValueTask WriteLineAsync(string text, Encoding? encoding = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        return WriteText(text, Options.NewLine, encoding ?? Encoding.UTF8, cancellationToken);
    }

    private ValueTask WriteText(string text, string end, Encoding encoding, CancellationToken cancellationToken)
    {
        int length = checked(encoding.GetByteCount(text) + encoding.GetByteCount(end));
        if (!Loop.IsCurrent)
        {
            byte[] copy = new byte[length];
            Encode(text, end, encoding, copy);
            return WriteAsync((ReadOnlyMemory<byte>)copy, cancellationToken);
        }

        if (BeginWrite(length, cancellationToken) is { } refusal) return ValueTask.FromException(refusal);
        if (length > 0) _writes.CommitReserved(Encode(text, end, encoding, _writes.Reserve(length).Span));
        return FinishWrite(isCopied: true, cancellationToken);
    }

    private static int Encode(string text, string end, Encoding encoding, Span<byte> target)
    {
        int length = encoding.GetBytes(text, target);
        return length + encoding.GetBytes(end, target[length..]);
    }
}
