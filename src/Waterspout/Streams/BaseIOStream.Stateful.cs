using System.Runtime.CompilerServices;
using Waterspout.Reads;

namespace Waterspout;

// The parser forms with a state, for parsers that are static and so allocate no closure. Of a lower priority than the forms without one, so
// that a call that had a meaning before these came keeps it, whatever is null or default in it.
public abstract partial class BaseIOStream
{
    /// <summary>
    /// Reads exactly <paramref name="count"/> bytes and hands them to <paramref name="parse"/>, together with <paramref name="state"/>,
    /// without a copy.
    /// </summary>
    /// <param name="count">Zero calls the parser with an empty span at once.</param>
    /// <param name="state">Handed to the parser, which so can be static and needs no closure.</param>
    /// <param name="parse">As for the form without a state.</param>
    /// <param name="cancellationToken">Cancelling loses no byte, and the stream stays usable.</param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <inheritdoc cref="ReadBytesAsync{T}(int, Func{ReadOnlySpan{byte}, T}, CancellationToken, TimeSpan?)"/>
    [OverloadResolutionPriority(-1)]
    public ValueTask<T> ReadBytesAsync<TState, T>(
        int count, TState state, Func<ReadOnlySpan<byte>, TState, T> parse, CancellationToken cancellationToken = default,
        TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(parse);
        return ReadBytesAsync(count, StatefulParser<TState, T>.Bind(state, parse), cancellationToken, timeout);
    }

    /// <summary>
    /// Reads up to and with <paramref name="delimiter"/> and hands it to <paramref name="parse"/>, together with <paramref name="state"/>,
    /// without a copy.
    /// </summary>
    /// <param name="delimiter">One byte or more. Copied where the read has to wait.</param>
    /// <param name="state">Handed to the parser, which so can be static and needs no closure.</param>
    /// <param name="parse">As for the form without a state.</param>
    /// <param name="maxBytes">The most bytes that the span, delimiter included, may have.</param>
    /// <param name="cancellationToken">Cancelling loses no byte, and the stream stays usable.</param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <inheritdoc cref="ReadUntilAsync{T}(ReadOnlySpan{byte}, Func{ReadOnlySpan{byte}, T}, int?, CancellationToken, TimeSpan?)"/>
    [OverloadResolutionPriority(-1)]
    public ValueTask<T> ReadUntilAsync<TState, T>(
        ReadOnlySpan<byte> delimiter, TState state, Func<ReadOnlySpan<byte>, TState, T> parse, int? maxBytes = null,
        CancellationToken cancellationToken = default, TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(parse);
        return ReadUntilAsync(delimiter, StatefulParser<TState, T>.Bind(state, parse), maxBytes, cancellationToken, timeout);
    }

    /// <summary>
    /// Hands the pieces between delimiters, without the delimiters, to <paramref name="handle"/>, together with <paramref name="state"/>,
    /// without a copy.
    /// </summary>
    /// <param name="delimiter">One byte or more. Copied where the read has to wait.</param>
    /// <param name="state">Handed to the handler, which so can be static and needs no closure.</param>
    /// <param name="handle">As for the form without a state.</param>
    /// <param name="maxBytes">The most bytes that a piece with its delimiter may have.</param>
    /// <param name="cancellationToken">Cancelling loses no byte that was not handed over, and the stream stays usable.</param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <inheritdoc cref="SplitAsync(ReadOnlySpan{byte}, Func{ReadOnlySpan{byte}, bool}, int?, CancellationToken, TimeSpan?)"/>
    [OverloadResolutionPriority(-2)] // the form that yields the pieces of a span has -1
    public ValueTask<bool> SplitAsync<TState>(
        ReadOnlySpan<byte> delimiter, TState state, Func<ReadOnlySpan<byte>, TState, bool> handle, int? maxBytes = null,
        CancellationToken cancellationToken = default, TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(handle);
        return SplitAsync(delimiter, StatefulHandler<TState, ReadOnlySpan<byte>>.Bind(state, handle), maxBytes, cancellationToken, timeout);
    }
}
