using System.Runtime.CompilerServices;
using Waterspout.Loop;
using Waterspout.Reads;

namespace Waterspout;

public abstract partial class BaseIOStream
{
    /// <summary>
    /// Reads exactly <paramref name="count"/> bytes; or, if <paramref name="partial"/>, what there is: at least one byte, and at most that
    /// many.
    /// </summary>
    /// <param name="count">Zero returns an empty array at once.</param>
    /// <param name="partial">Complete as soon as there is any data.</param>
    /// <param name="cancellationToken">Cancelling loses no byte: what has arrived stays buffered, and the stream stays usable.</param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <remarks>
    /// Completion: at once if the buffer has enough, even after the stream has closed. May be called from any thread. Difference from
    /// Tornado: none.
    /// </remarks>
    /// <example>
    /// <code>
    /// byte[] header = await stream.ReadBytesAsync(16);
    /// </code>
    /// </example>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative.</exception>
    /// <exception cref="InvalidOperationException">A read is already pending; it continues.</exception>
    /// <exception cref="StreamClosedException">The stream closed, or had closed, before there was enough data.</exception>
    /// <exception cref="TimeoutException">A time limit expired. No byte is lost.</exception>
    /// <exception cref="OperationCanceledException">The read was cancelled. No byte is lost.</exception>
    public ValueTask<byte[]> ReadBytesAsync(
        int count, bool partial = false, CancellationToken cancellationToken = default, TimeSpan? timeout = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        CheckTimeout(timeout);
        if (count == 0 && Loop.IsCurrent) return new ValueTask<byte[]>(Array.Empty<byte>());
        if (!Loop.IsCurrent)
        {
            return IsBufferLent(cancellationToken) && TryReadLent(BytesRead<byte[]>.Rent(count, partial, ToArray), out ValueTask<byte[]> found)
                ? found
                : ReadOffLoop((count, partial, cancellationToken, timeout),
                    static (stream, call) => stream.ReadBytesAsync(call.count, call.partial, call.cancellationToken, call.timeout));
        }

        bool isDirect = !partial && count is >= ArrayRead.Smallest and <= ArrayRead.Largest && count <= Options.MaxBufferSize;
        if (!isDirect || _reads.Buffer.Length >= count) return ReadBytes(count, partial, ToArray, cancellationToken, timeout);
        return TryBeginRead(cancellationToken, out ValueTask<byte[]> refusal)
            ? Read(ArrayRead.Rent(count), cancellationToken, timeout)
            : refusal;
    }

    /// <summary>
    /// Reads exactly <paramref name="count"/> bytes and passes them to <paramref name="parse"/> in the stream's own buffer, without a copy.
    /// </summary>
    /// <param name="count">Zero calls the parser with an empty span at once.</param>
    /// <param name="parse">
    /// Returns the result. The span is valid during the call only. Runs on the loop, or on the thread that calls if the bytes are already
    /// buffered; must not read from the stream. If it throws, the read fails with that exception, and the bytes count as read.
    /// </param>
    /// <param name="cancellationToken">Cancelling loses no byte, and the stream stays usable.</param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <remarks>
    /// Completion and errors are those of <see cref="ReadBytesAsync(int, bool, CancellationToken, TimeSpan?)"/>. Tornado has no such form.
    /// </remarks>
    public ValueTask<T> ReadBytesAsync<T>(
        int count, Func<ReadOnlySpan<byte>, T> parse, CancellationToken cancellationToken = default, TimeSpan? timeout = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        CheckTimeout(timeout);
        ArgumentNullException.ThrowIfNull(parse);
        if (Loop.IsCurrent) return ReadBytes(count, partial: false, parse, cancellationToken, timeout);
        return IsBufferLent(cancellationToken) && TryReadLent(BytesRead<T>.Rent(count, partial: false, parse), out ValueTask<T> found)
            ? found
            : ReadOffLoop((count, parse, cancellationToken, timeout),
                static (stream, call) => stream.ReadBytesAsync(call.count, call.parse, call.cancellationToken, call.timeout));
    }

    /// <summary>Fills <paramref name="buffer"/>; or, if <paramref name="partial"/>, reads what there is into it.</summary>
    /// <param name="buffer">
    /// Data is received directly into large buffers. It must not be used until the read has completed. An empty one returns 0 at once.
    /// </param>
    /// <param name="partial">Complete as soon as there is any data.</param>
    /// <param name="cancellationToken">
    /// Cancelling loses no byte: what is already in <paramref name="buffer"/> is returned to the stream's own.
    /// </param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <returns>The number of bytes read: the length of the buffer, or less for a partial read.</returns>
    /// <remarks>
    /// Completion: at once if the buffer has enough, even after the stream has closed. The size of the caller's buffer is not limited by
    /// <see cref="IOStreamOptions.MaxBufferSize"/>. Errors are those of
    /// <see cref="ReadBytesAsync(int, bool, CancellationToken, TimeSpan?)"/>. Difference from Tornado: none.
    /// </remarks>
    /// <example>
    /// <code>
    /// int count = await stream.ReadIntoAsync(buffer, partial: true);
    /// </code>
    /// </example>
    public ValueTask<int> ReadIntoAsync(
        Memory<byte> buffer, bool partial = false, CancellationToken cancellationToken = default, TimeSpan? timeout = null)
    {
        CheckTimeout(timeout);
        if (!Loop.IsCurrent)
        {
            return IsBufferLent(cancellationToken) && TryReadLent(IntoRead.Rent(buffer, partial), out ValueTask<int> found)
                ? found
                : ReadOffLoop((buffer, partial, cancellationToken, timeout),
                    static (stream, call) => stream.ReadIntoAsync(call.buffer, call.partial, call.cancellationToken, call.timeout));
        }

        if (buffer.IsEmpty) return new ValueTask<int>(0);
        return TryBeginRead(cancellationToken, out ValueTask<int> refusal)
            ? Read(IntoRead.Rent(buffer, partial), cancellationToken, timeout)
            : refusal;
    }

    /// <summary>Reads everything until EOF.</summary>
    /// <param name="cancellationToken">Cancelling loses no byte, and the stream stays usable.</param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <remarks>
    /// Completion: at the peer's regular EOF; with an empty array if nothing was left. An error, or a close on this side, fails the read,
    /// and what had arrived stays buffered. May be called from any thread. Difference from Tornado: it returns what there is in all cases.
    /// </remarks>
    /// <exception cref="InvalidOperationException">A read is already pending; it continues.</exception>
    /// <exception cref="StreamClosedException">
    /// The stream did not end with a regular EOF, or EOF was already returned. With an inner <see cref="StreamBufferFullException"/>: more
    /// than <see cref="IOStreamOptions.MaxBufferSize"/> arrived.
    /// </exception>
    /// <exception cref="TimeoutException">A time limit expired. No byte is lost.</exception>
    /// <exception cref="OperationCanceledException">The read was cancelled. No byte is lost.</exception>
    public ValueTask<byte[]> ReadUntilCloseAsync(CancellationToken cancellationToken = default, TimeSpan? timeout = null)
    {
        CheckTimeout(timeout);
        if (!Loop.IsCurrent) return ReadOffLoop((cancellationToken, timeout),
            static (stream, call) => stream.ReadUntilCloseAsync(call.cancellationToken, call.timeout));
        return TryBeginRead(cancellationToken, out ValueTask<byte[]> refusal)
            ? Read(UntilCloseRead.Rent(), cancellationToken, timeout)
            : refusal;
    }

    /// <summary>Waits until <paramref name="count"/> bytes have arrived and returns a copy of them, without consuming them.</summary>
    /// <param name="count">Zero returns an empty result at once.</param>
    /// <param name="cancellationToken">Cancelling loses no byte, and the stream stays usable.</param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <remarks>
    /// Completion and errors are those of <see cref="ReadBytesAsync(int, bool, CancellationToken, TimeSpan?)"/>. Tornado has no such call.
    /// </remarks>
    public ValueTask<ReadOnlyMemory<byte>> PeekAsync(int count, CancellationToken cancellationToken = default, TimeSpan? timeout = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        CheckTimeout(timeout);
        if (!Loop.IsCurrent)
        {
            return IsBufferLent(cancellationToken) && TryReadLent(PeekRead.Rent(count), out ValueTask<ReadOnlyMemory<byte>> found)
                ? found
                : ReadOffLoop((count, cancellationToken, timeout),
                    static (stream, call) => stream.PeekAsync(call.count, call.cancellationToken, call.timeout));
        }

        if (count == 0) return new ValueTask<ReadOnlyMemory<byte>>(ReadOnlyMemory<byte>.Empty);
        return TryBeginRead(cancellationToken, out ValueTask<ReadOnlyMemory<byte>> refusal)
            ? Read(PeekRead.Rent(count), cancellationToken, timeout)
            : refusal;
    }

    /// <summary>Reads data as it arrives, piece by piece, up to <paramref name="count"/> bytes in all or until EOF.</summary>
    /// <param name="count">Null for no limit.</param>
    /// <param name="cancellationToken">Cancelling loses no byte that was not yielded.</param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <remarks>
    /// Each piece is valid until the next one is requested. Leaving the loop early leaves the rest in the stream. Between two pieces the
    /// stream is free for other reads. Errors are those of <see cref="ReadBytesAsync(int, bool, CancellationToken, TimeSpan?)"/>, except
    /// that a regular EOF ends the sequence. Tornado has no such form.
    /// </remarks>
    public IAsyncEnumerable<ReadOnlyMemory<byte>> ReadChunksAsync(
        long? count = null, CancellationToken cancellationToken = default, TimeSpan? timeout = null)
    {
        if (count is { } total) ArgumentOutOfRangeException.ThrowIfNegative(total, nameof(count));
        CheckTimeout(timeout);
        return ChunksAsync(count ?? long.MaxValue, timeout, cancellationToken);
    }

    /// <summary>
    /// Reads what there is, like <see cref="Stream"/>: 0 at a regular EOF, repeatedly. The buffer must not be empty.
    /// </summary>
    internal ValueTask<int> ReadOrEofAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (!Loop.IsCurrent)
        {
            return IsBufferLent(cancellationToken)
                && TryReadLent(IntoRead.Rent(buffer, partial: true, eofIsAResult: true), out ValueTask<int> found)
                    ? found
                    : ReadOffLoop((buffer, cancellationToken),
                        static (stream, call) => stream.ReadOrEofAsync(call.buffer, call.cancellationToken));
        }

        if (!TryBeginRead(cancellationToken, out ValueTask<int> refusal)) return refusal;
        return Read(IntoRead.Rent(buffer, partial: true, eofIsAResult: true), cancellationToken);
    }

    private static byte[] ToArray(ReadOnlySpan<byte> data) => data.ToArray();

    private static void CheckLimit(int? maxBytes, TimeSpan? timeout = null)
    {
        if (maxBytes is { } limit) ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit, nameof(maxBytes));
        CheckTimeout(timeout);
    }

    private static void CheckTimeout(TimeSpan? timeout)
    {
        if (timeout is not null) TimeLimit.CheckNotNegative(timeout, nameof(timeout));
    }

    private ValueTask<T> ReadBytes<T>(
        int count, bool partial, Func<ReadOnlySpan<byte>, T> parse, CancellationToken cancellationToken, TimeSpan? timeout)
    {
        if (!TryBeginRead(cancellationToken, out ValueTask<T> refusal)) return refusal;
        ReadBuffer buffer = _reads.Buffer;
        int available = BytesRead<T>.Available(buffer.Length, count, partial);
        if (available > 0 || count == 0) return ReadBuffered(buffer, available, parse);
        return Read(BytesRead<T>.Rent(count, partial, parse), cancellationToken, timeout);
    }

    private async IAsyncEnumerable<ReadOnlyMemory<byte>> ChunksAsync(
        long count, TimeSpan? timeout, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        byte[] chunk = new byte[Math.Min(count, Options.ChunkSize)];
        while (count > 0)
        {
            int read;
            try
            {
                Memory<byte> space = chunk.AsMemory(0, (int)Math.Min(count, chunk.Length));
                read = await ReadIntoAsync(space, partial: true, cancellationToken, timeout);
            }
            catch (StreamClosedException closed) when (closed.Reason == CloseReason.EndOfStream)
            {
                yield break;
            }

            count -= read;
            yield return chunk.AsMemory(0, read);
        }
    }
}
