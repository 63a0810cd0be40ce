using Waterspout.Reads;

namespace Waterspout;

// Reads whose end a parser of the caller's decides.
public abstract partial class BaseIOStream
{
    /// <summary>Reads one message, which <paramref name="parser"/> finds in what is buffered.</summary>
    /// <param name="parser">
    /// Called with all that is buffered each time that more has arrived and, where it has said how many bytes are missing, not before they
    /// are there: on the loop, or first on the thread that calls if something is buffered. Must not read from the stream; may write to it
    /// or close it.
    /// </param>
    /// <param name="maxBytes">
    /// The most bytes that a message may have. No limit but <see cref="IOStreamOptions.MaxBufferSize"/> when null.
    /// </param>
    /// <param name="cancellationToken">
    /// Cancelling loses no byte: what has arrived of the message stays buffered, and the stream usable.
    /// </param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <returns>What the parser made of the message.</returns>
    /// <remarks>
    /// <para>Completion: at once when the message is in the buffer, also after the stream closed. What is not part of the message stays
    /// buffered, for the next read of any kind. One read at a time, as with all reads.</para>
    /// <para>A read that fails takes nothing from the stream: when the parser throws, when what it says cannot be, and when the limit is
    /// passed, the next read begins with the same bytes. So the peer can be answered, or the bytes discarded. Tornado has no such
    /// call.</para>
    /// </remarks>
    /// <example>
    /// <code>
    /// long number = await stream.ReadMessageAsync&lt;long&gt;(TryParseInteger, maxBytes: 64);
    /// </code>
    /// </example>
    /// <exception cref="ArgumentOutOfRangeException">The limit is not positive.</exception>
    /// <exception cref="InvalidOperationException">
    /// A read is under way, which continues. Or the parser has broken its contract: it returned true and took no byte or more than there
    /// are, or returned false and took any or needs a negative number.
    /// </exception>
    /// <exception cref="UnsatisfiableReadException">
    /// The message is longer than <paramref name="maxBytes"/>. The stream stays open.
    /// </exception>
    /// <exception cref="StreamClosedException">
    /// The stream closed before the message was complete. Where its regular end came inside the message, the inner exception is an
    /// <see cref="EndOfStreamException"/> that says how much was there. With an inner <see cref="StreamBufferFullException"/>: the message
    /// needs more than <see cref="IOStreamOptions.MaxBufferSize"/>, and the stream was closed for that.
    /// </exception>
    /// <exception cref="TimeoutException">A time limit expired. No byte is lost.</exception>
    /// <exception cref="OperationCanceledException">The read was cancelled. No byte is lost.</exception>
    public ValueTask<T> ReadMessageAsync<T>(
        MessageParser<T> parser, int? maxBytes = null, CancellationToken cancellationToken = default, TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(parser);
        CheckLimit(maxBytes, timeout);
        if (!Loop.IsCurrent)
        {
            return IsBufferLent(cancellationToken) && TryReadLent(MessageRead<T>.Rent(parser, maxBytes), out ValueTask<T> found)
                ? found
                : ReadOffLoop((parser, maxBytes, cancellationToken, timeout),
                    static (stream, call) => stream.ReadMessageAsync(call.parser, call.maxBytes, call.cancellationToken, call.timeout));
        }

        return TryBeginRead(cancellationToken, out ValueTask<T> refusal)
            ? Read(MessageRead<T>.Rent(parser, maxBytes), cancellationToken, timeout)
            : refusal;
    }

    /// <summary>
    /// Reads one message, which <paramref name="parser"/> finds in what is buffered with the help of <paramref name="state"/>.
    /// </summary>
    /// <param name="state">Handed to the parser, which so can be static and needs no closure.</param>
    /// <param name="parser">As for the form without a state.</param>
    /// <param name="maxBytes">The most bytes that a message may have.</param>
    /// <param name="cancellationToken">Cancelling loses no byte, and the stream stays usable.</param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <inheritdoc cref="ReadMessageAsync{T}(MessageParser{T}, int?, CancellationToken, TimeSpan?)"/>
    public ValueTask<T> ReadMessageAsync<TState, T>(
        TState state, MessageParser<TState, T> parser, int? maxBytes = null, CancellationToken cancellationToken = default,
        TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(parser);
        return ReadMessageAsync(StatefulMessageParser<TState, T>.Bind(state, parser), maxBytes, cancellationToken, timeout);
    }

    /// <summary>
    /// Reads messages, which <paramref name="parser"/> finds in what is buffered, and hands each to <paramref name="handle"/>.
    /// </summary>
    /// <typeparam name="T">
    /// What a message becomes. May be a span: the messages are then handed over in the stream's own buffer, without a copy.
    /// </typeparam>
    /// <param name="parser">As for <see cref="ReadMessageAsync{T}(MessageParser{T}, int?, CancellationToken, TimeSpan?)"/>.</param>
    /// <param name="handle">
    /// Called with each message; false ends the read behind that message. Runs on the loop; must not read from the stream, and may write to
    /// it or close it. If it throws, the read fails with that exception, and the message counts as read.
    /// </param>
    /// <param name="maxBytes">The most bytes that a message may have.</param>
    /// <param name="cancellationToken">Cancelling loses no byte that was not handed over, and the stream stays usable.</param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <returns>
    /// True when <paramref name="handle"/> has ended the read; false at the regular end of the stream, as often as it is asked for.
    /// </returns>
    /// <remarks>
    /// <para>The cheapest way to read many small messages: whatever arrives together is handed over in one go, with one await for all of
    /// it. To hold the peer back, or to await anything, return false, and call again afterwards.</para>
    /// <para>Messages that were handed over are read, also when the read fails at a later one, which is not. An end of the stream inside a
    /// message is an error. Tornado has no such call.</para>
    /// </remarks>
    /// <inheritdoc cref="ReadMessageAsync{T}(MessageParser{T}, int?, CancellationToken, TimeSpan?)" path="/exception"/>
    public ValueTask<bool> ReadMessagesAsync<T>(
        MessageParser<T> parser, Func<T, bool> handle, int? maxBytes = null, CancellationToken cancellationToken = default,
        TimeSpan? timeout = null)
        where T : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(parser);
        ArgumentNullException.ThrowIfNull(handle);
        CheckLimit(maxBytes, timeout);
        if (!Loop.IsCurrent)
        {
            return ReadOffLoop((parser, handle, maxBytes, cancellationToken, timeout),
                static (stream, call) =>
                    stream.ReadMessagesAsync(call.parser, call.handle, call.maxBytes, call.cancellationToken, call.timeout));
        }

        return TryBeginRead(cancellationToken, out ValueTask<bool> refusal)
            ? Read(MessagesRead<T>.Rent(parser, handle, maxBytes), cancellationToken, timeout)
            : refusal;
    }

    /// <summary>
    /// Reads messages, which <paramref name="parser"/> finds in what is buffered, and hands each to <paramref name="handle"/>, together
    /// with <paramref name="state"/>.
    /// </summary>
    /// <typeparam name="TState">The type of the state.</typeparam>
    /// <typeparam name="T">What a message becomes. May be a span.</typeparam>
    /// <param name="parser">As for the form without a state.</param>
    /// <param name="state">Handed to the handler, which so can be static and needs no closure.</param>
    /// <param name="handle">As for the form without a state.</param>
    /// <param name="maxBytes">The most bytes that a message may have.</param>
    /// <param name="cancellationToken">Cancelling loses no byte that was not handed over, and the stream stays usable.</param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <inheritdoc cref="ReadMessagesAsync{T}(MessageParser{T}, Func{T, bool}, int?, CancellationToken, TimeSpan?)"/>
    public ValueTask<bool> ReadMessagesAsync<TState, T>(
        MessageParser<T> parser, TState state, Func<T, TState, bool> handle, int? maxBytes = null,
        CancellationToken cancellationToken = default, TimeSpan? timeout = null)
        where T : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(handle);
        return ReadMessagesAsync(parser, StatefulHandler<TState, T>.Bind(state, handle), maxBytes, cancellationToken, timeout);
    }
}
