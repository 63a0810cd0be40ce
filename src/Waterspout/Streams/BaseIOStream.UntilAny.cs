using System.Runtime.CompilerServices;
using Waterspout.Reads;
using Waterspout.Searching;

namespace Waterspout;

// Reads up to one of several delimiters.
public abstract partial class BaseIOStream
{
    /// <summary>Reads up to and with the first of several delimiters, and says which one it was.</summary>
    /// <param name="delimiters">One or more, of one byte or more each. Copied by the call.</param>
    /// <param name="maxBytes">The most bytes that the result, delimiter included, may have.</param>
    /// <param name="cancellationToken">Cancelling loses no byte, and the stream stays usable.</param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <returns>The bytes, delimiter included, and the delimiter's index in <paramref name="delimiters"/>.</returns>
    /// <remarks>
    /// <para>The first is the one whose end comes first; of several that end there, it is the longest: of LF and CR LF, a line that ends in
    /// CR LF has that. So one that begins with another of them is never found, since the shorter one ends first. Of two that are the same
    /// it is the one with the lower index.</para>
    /// <para>Completion: at once when a delimiter is in the buffer, also after the stream closed. Each byte is looked at once, however it
    /// arrives. Tornado has no such call.</para>
    /// </remarks>
    /// <exception cref="ArgumentException">There are no delimiters, one is empty, or the limit is not positive.</exception>
    /// <exception cref="InvalidOperationException">A read is under way; it continues.</exception>
    /// <exception cref="UnsatisfiableReadException">
    /// No delimiter came within <paramref name="maxBytes"/>. Nothing is read, and the stream stays open.
    /// </exception>
    /// <exception cref="StreamClosedException">
    /// The stream closed before a delimiter came. With an inner <see cref="StreamBufferFullException"/>: none came within
    /// <see cref="IOStreamOptions.MaxBufferSize"/>, and the stream was closed for that.
    /// </exception>
    /// <exception cref="TimeoutException">A time limit expired. No byte is lost.</exception>
    /// <exception cref="OperationCanceledException">The read was cancelled. No byte is lost.</exception>
    public ValueTask<(byte[] Data, int Delimiter)> ReadUntilAnyAsync(
        ReadOnlyMemory<byte>[] delimiters, int? maxBytes = null, CancellationToken cancellationToken = default,
        TimeSpan? timeout = null) =>
        ReadUntilAnyAsync(delimiters, static (data, delimiter) => (data.ToArray(), delimiter), maxBytes, cancellationToken, timeout);

    /// <summary>
    /// Reads up to and with the first of several delimiters and hands it to <paramref name="parse"/> in the stream's own buffer, without a
    /// copy.
    /// </summary>
    /// <param name="delimiters">One or more, of one byte or more each. Copied by the call.</param>
    /// <param name="parse">
    /// Makes the result of the span, which ends in the delimiter and is valid during the call only, and the delimiter's index. Runs on the
    /// loop, or on the thread that calls if the bytes are already buffered; must not read from the stream. If it throws, the read fails
    /// with that exception, and the bytes count as read.
    /// </param>
    /// <param name="maxBytes">The most bytes that the span, delimiter included, may have.</param>
    /// <param name="cancellationToken">Cancelling loses no byte, and the stream stays usable.</param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <returns>What the parser made of the bytes.</returns>
    /// <inheritdoc cref="ReadUntilAnyAsync(ReadOnlyMemory{byte}[], int?, CancellationToken, TimeSpan?)"/>
    public ValueTask<T> ReadUntilAnyAsync<T>(
        ReadOnlyMemory<byte>[] delimiters, Func<ReadOnlySpan<byte>, int, T> parse, int? maxBytes = null,
        CancellationToken cancellationToken = default, TimeSpan? timeout = null)
    {
        CheckDelimiters(delimiters);
        ArgumentNullException.ThrowIfNull(parse);
        CheckLimit(maxBytes, timeout);
        DelimiterSet set = DelimiterSet.Get(delimiters);
        if (Loop.IsCurrent) return ReadUntilAny(set, parse, maxBytes, cancellationToken, timeout);
        return IsBufferLent(cancellationToken) && TryReadLent(UntilAnyRead<T>.Rent(set, maxBytes, parse), out ValueTask<T> found)
            ? found
            : ReadOffLoop((set, parse, maxBytes, cancellationToken, timeout),
                static (stream, call) => stream.ReadUntilAny(call.set, call.parse, call.maxBytes, call.cancellationToken, call.timeout));
    }

    /// <summary>
    /// Reads up to and with the first of several delimiters and hands it to <paramref name="parse"/>, together with
    /// <paramref name="state"/>, without a copy.
    /// </summary>
    /// <param name="delimiters">One or more, of one byte or more each. Copied by the call.</param>
    /// <param name="state">Handed to the parser, which so can be static and needs no closure.</param>
    /// <param name="parse">As for the form without a state.</param>
    /// <param name="maxBytes">The most bytes that the span, delimiter included, may have.</param>
    /// <param name="cancellationToken">Cancelling loses no byte, and the stream stays usable.</param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <inheritdoc cref="ReadUntilAnyAsync{T}(ReadOnlyMemory{byte}[], Func{ReadOnlySpan{byte}, int, T}, int?, CancellationToken, TimeSpan?)"/>
    [OverloadResolutionPriority(-1)] // see BaseIOStream.Stateful.cs
    public ValueTask<T> ReadUntilAnyAsync<TState, T>(
        ReadOnlyMemory<byte>[] delimiters, TState state, Func<ReadOnlySpan<byte>, int, TState, T> parse, int? maxBytes = null,
        CancellationToken cancellationToken = default, TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(parse);
        return ReadUntilAnyAsync(delimiters, StatefulAnyParser<TState, T>.Bind(state, parse), maxBytes, cancellationToken, timeout);
    }

    private static void CheckDelimiters(ReadOnlyMemory<byte>[] delimiters)
    {
        ArgumentNullException.ThrowIfNull(delimiters);
        if (delimiters.Length == 0) throw new ArgumentException("There are no delimiters.", nameof(delimiters));
        foreach (ReadOnlyMemory<byte> delimiter in delimiters)
            if (delimiter.IsEmpty) throw new ArgumentException("A delimiter is empty.", nameof(delimiters));
    }

    private ValueTask<T> ReadUntilAny<T>(
        DelimiterSet delimiters, Func<ReadOnlySpan<byte>, int, T> parse, int? maxBytes, CancellationToken cancellationToken,
        TimeSpan? timeout) =>
        TryBeginRead(cancellationToken, out ValueTask<T> refusal)
            ? Read(UntilAnyRead<T>.Rent(delimiters, maxBytes, parse), cancellationToken, timeout)
            : refusal;
}
