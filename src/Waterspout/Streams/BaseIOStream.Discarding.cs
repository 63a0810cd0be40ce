using Waterspout.Reads;

namespace Waterspout;

// Reads whose data is dropped.
public abstract partial class BaseIOStream
{
    /// <summary>Reads <paramref name="count"/> bytes and drops them as they arrive.</summary>
    /// <param name="count">Any number; zero completes at once.</param>
    /// <param name="cancellationToken">
    /// Cancelling ends the read, and the stream stays usable; what has been dropped by then is dropped, and the rest of the bytes is still
    /// to come. To be able to continue, discard in steps.
    /// </param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <remarks>
    /// Takes no more memory than one receive, whatever the count: <see cref="IOStreamOptions.MaxBufferSize"/> is no limit. Completion: at
    /// once when so much is in the buffer, also after the stream closed. A time limit does what a cancellation does. Tornado has no such
    /// call.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative.</exception>
    /// <exception cref="InvalidOperationException">A read is under way; it continues.</exception>
    /// <exception cref="StreamClosedException">
    /// The stream closed before there was enough. Where that was its regular end, the inner exception is an
    /// <see cref="EndOfStreamException"/> that says how many bytes were missing.
    /// </exception>
    /// <exception cref="TimeoutException">A time limit expired.</exception>
    /// <exception cref="OperationCanceledException">The read was cancelled.</exception>
    public ValueTask DiscardAsync(long count, CancellationToken cancellationToken = default, TimeSpan? timeout = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        CheckTimeout(timeout);
        ValueTask<bool> discard = Loop.IsCurrent
            ? Discard(count, cancellationToken, timeout)
            : ReadOffLoop((count, cancellationToken, timeout),
                static (stream, call) => stream.Discard(call.count, call.cancellationToken, call.timeout));
        return discard.IsCompletedSuccessfully ? default : new ValueTask(discard.AsTask());
    }

    /// <summary>Reads up to and with <paramref name="delimiter"/> and drops all of it as it arrives.</summary>
    /// <param name="delimiter">One byte or more. Copied by the call.</param>
    /// <param name="cancellationToken">
    /// Cancelling ends the read, and the stream stays usable; what has been dropped by then is dropped. The same call again continues, also
    /// in the middle of a delimiter.
    /// </param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <returns>The number of bytes dropped, the delimiter's included.</returns>
    /// <remarks>
    /// The way to continue behind something that is too long. Takes no more memory than one receive, however much comes before the
    /// delimiter, and looks at each byte once. Completion: at once when the delimiter is in the buffer, also after the stream closed. A
    /// time limit does what a cancellation does. Tornado has no such call.
    /// </remarks>
    /// <exception cref="ArgumentException">The delimiter is empty.</exception>
    /// <exception cref="InvalidOperationException">A read is under way; it continues.</exception>
    /// <exception cref="StreamClosedException">The stream closed before the delimiter came.</exception>
    /// <exception cref="TimeoutException">A time limit expired.</exception>
    /// <exception cref="OperationCanceledException">The read was cancelled.</exception>
    public ValueTask<long> DiscardUntilAsync(
        ReadOnlySpan<byte> delimiter, CancellationToken cancellationToken = default, TimeSpan? timeout = null)
    {
        if (delimiter.IsEmpty) throw new ArgumentException("The delimiter is empty.", nameof(delimiter));
        CheckTimeout(timeout);
        if (!Loop.IsCurrent)
        {
            return ReadOffLoop((Delimiter: delimiter.ToArray(), cancellationToken, timeout),
                static (stream, call) => stream.DiscardUntilAsync(call.Delimiter, call.cancellationToken, call.timeout));
        }

        return TryBeginRead(cancellationToken, out ValueTask<long> refusal)
            ? Read(DiscardUntilRead.Rent(delimiter), cancellationToken, timeout)
            : refusal;
    }

    private ValueTask<bool> Discard(long count, CancellationToken cancellationToken, TimeSpan? timeout) =>
        TryBeginRead(cancellationToken, out ValueTask<bool> refusal)
            ? Read(DiscardBytesRead.Rent(count), cancellationToken, timeout)
            : refusal;
}
