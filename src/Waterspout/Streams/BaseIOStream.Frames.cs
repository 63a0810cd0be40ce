using System.Runtime.CompilerServices;
using Waterspout.Reads;

namespace Waterspout;

// Reads of frames: a length, and as many bytes as it says.
public abstract partial class BaseIOStream
{
    /// <summary>Reads a frame: a length, and as many bytes as it says.</summary>
    /// <param name="length">How the length is written.</param>
    /// <param name="maxBytes">
    /// The most bytes that may follow the length. No limit but <see cref="IOStreamOptions.MaxBufferSize"/>, which the whole frame has to
    /// fit into, when null.
    /// </param>
    /// <param name="cancellationToken">
    /// Cancelling loses no byte: what has arrived of the frame, its length included, stays buffered, and the stream usable.
    /// </param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <returns>The bytes behind the length; none for a frame that has none.</returns>
    /// <remarks>
    /// <para>Completion: at once when the frame is in the buffer, also after the stream closed. What the length says is checked when it has
    /// arrived, before memory is taken for it.</para>
    /// <para>A read that fails takes nothing from the stream. So the peer can be answered, or the frame discarded. Tornado has no such
    /// call.</para>
    /// </remarks>
    /// <example>
    /// <code>
    /// byte[] frame = await stream.ReadFrameAsync(new FrameLength(4), maxBytes: 1_000_000);
    /// </code>
    /// </example>
    /// <exception cref="ArgumentException">The limit is not positive, or <paramref name="length"/> is the default of its type.</exception>
    /// <exception cref="InvalidDataException">
    /// The length cannot be: a varint with more bytes than it takes or more than 64 bits, or a length that includes itself and is shorter
    /// than that.
    /// </exception>
    /// <exception cref="InvalidOperationException">A read is under way; it continues.</exception>
    /// <exception cref="UnsatisfiableReadException">
    /// The frame is longer than <paramref name="maxBytes"/>. The stream stays open.
    /// </exception>
    /// <exception cref="StreamClosedException">
    /// The stream closed before the frame was complete. Where its regular end came inside the frame, the inner exception is an
    /// <see cref="EndOfStreamException"/> that says how much was there. With an inner <see cref="StreamBufferFullException"/>: the frame is
    /// longer than <see cref="IOStreamOptions.MaxBufferSize"/>, and the stream was closed for that.
    /// </exception>
    /// <exception cref="TimeoutException">A time limit expired. No byte is lost.</exception>
    /// <exception cref="OperationCanceledException">The read was cancelled. No byte is lost.</exception>
    public ValueTask<byte[]> ReadFrameAsync(
        FrameLength length, int? maxBytes = null, CancellationToken cancellationToken = default, TimeSpan? timeout = null) =>
        ReadFrameAsync(length, ToArray, maxBytes, cancellationToken, timeout);

    /// <summary>
    /// Reads a frame and hands what is behind its length to <paramref name="parse"/> in the stream's own buffer, without a copy.
    /// </summary>
    /// <param name="length">How the length is written.</param>
    /// <param name="parse">
    /// Makes the result. The span, which does not have the length, is valid during the call only. Runs on the loop, or on the thread that
    /// calls if the frame is already buffered; must not read from the stream. If it throws, the read fails with that exception, and the
    /// frame counts as read.
    /// </param>
    /// <param name="maxBytes">The most bytes that may follow the length.</param>
    /// <param name="cancellationToken">Cancelling loses no byte, and the stream stays usable.</param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <returns>What the parser made of the frame.</returns>
    /// <inheritdoc cref="ReadFrameAsync(FrameLength, int?, CancellationToken, TimeSpan?)"/>
    public ValueTask<T> ReadFrameAsync<T>(
        FrameLength length, Func<ReadOnlySpan<byte>, T> parse, int? maxBytes = null, CancellationToken cancellationToken = default,
        TimeSpan? timeout = null)
    {
        if (length.IsNone) throw new ArgumentException("The length of the frame has no size.", nameof(length));
        ArgumentNullException.ThrowIfNull(parse);
        CheckLimit(maxBytes, timeout);
        if (!Loop.IsCurrent)
        {
            return IsBufferLent(cancellationToken) && TryReadLent(FrameRead<T>.Rent(length, maxBytes, parse), out ValueTask<T> found)
                ? found
                : ReadOffLoop((length, parse, maxBytes, cancellationToken, timeout),
                    static (stream, call) =>
                        stream.ReadFrameAsync(call.length, call.parse, call.maxBytes, call.cancellationToken, call.timeout));
        }

        return TryBeginRead(cancellationToken, out ValueTask<T> refusal)
            ? Read(FrameRead<T>.Rent(length, maxBytes, parse), cancellationToken, timeout)
            : refusal;
    }

    /// <summary>
    /// Reads a frame and hands what is behind its length to <paramref name="parse"/>, together with <paramref name="state"/>, without a
    /// copy.
    /// </summary>
    /// <param name="length">How the length is written.</param>
    /// <param name="state">Handed to the parser, which so can be static and needs no closure.</param>
    /// <param name="parse">As for the form without a state.</param>
    /// <param name="maxBytes">The most bytes that may follow the length.</param>
    /// <param name="cancellationToken">Cancelling loses no byte, and the stream stays usable.</param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <inheritdoc cref="ReadFrameAsync{T}(FrameLength, Func{ReadOnlySpan{byte}, T}, int?, CancellationToken, TimeSpan?)"/>
    [OverloadResolutionPriority(-1)] // see BaseIOStream.Stateful.cs
    public ValueTask<T> ReadFrameAsync<TState, T>(
        FrameLength length, TState state, Func<ReadOnlySpan<byte>, TState, T> parse, int? maxBytes = null,
        CancellationToken cancellationToken = default, TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(parse);
        return ReadFrameAsync(length, StatefulParser<TState, T>.Bind(state, parse), maxBytes, cancellationToken, timeout);
    }
}
