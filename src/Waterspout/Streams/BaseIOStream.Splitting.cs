using System.Runtime.CompilerServices;
using Waterspout.Reads;

namespace Waterspout;

// The pieces between delimiters.
public abstract partial class BaseIOStream
{
    /// <summary>Reads the pieces between delimiters, without the delimiters.</summary>
    /// <param name="delimiter">One byte or more.</param>
    /// <param name="maxBytes">The most bytes that a piece with its delimiter may have.</param>
    /// <param name="cancellationToken">Cancelling loses no byte that was not yielded.</param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <remarks>
    /// A regular EOF ends the sequence; data after the last delimiter is its last piece, if it is not empty. Errors are those of
    /// <see cref="ReadUntilAsync(ReadOnlySpan{byte}, int?, CancellationToken, TimeSpan?)"/>. Tornado has no such form.
    /// </remarks>
    public IAsyncEnumerable<byte[]> SplitAsync(
        ReadOnlyMemory<byte> delimiter, int? maxBytes = null, CancellationToken cancellationToken = default, TimeSpan? timeout = null)
    {
        if (delimiter.IsEmpty) throw new ArgumentException("The delimiter is empty.", nameof(delimiter));
        CheckLimit(maxBytes, timeout);
        return PiecesAsync(delimiter.ToArray(), maxBytes, timeout, cancellationToken);
    }

    /// <summary>Reads the pieces between delimiters, without the delimiters. The call copies the delimiter.</summary>
    /// <inheritdoc cref="SplitAsync(ReadOnlyMemory{byte}, int?, CancellationToken, TimeSpan?)"/>
    [OverloadResolutionPriority(-1)] // a null after the delimiter means a missing handler, not a missing limit
    public IAsyncEnumerable<byte[]> SplitAsync(
        ReadOnlySpan<byte> delimiter, int? maxBytes = null, CancellationToken cancellationToken = default, TimeSpan? timeout = null) =>
        SplitAsync((ReadOnlyMemory<byte>)delimiter.ToArray(), maxBytes, cancellationToken, timeout);

    /// <summary>
    /// Passes the pieces between delimiters, without the delimiters, to <paramref name="handle"/> in the stream's own buffer, without a
    /// copy.
    /// </summary>
    /// <param name="delimiter">One byte or more. Copied if the read has to wait.</param>
    /// <param name="handle">
    /// Called with each piece; false ends the read after that piece. The span is valid during the call only. Runs on the loop; must not
    /// read from the stream, but may write to it or close it. If it throws, the read fails with that exception, and the piece counts as
    /// read.
    /// </param>
    /// <param name="maxBytes">The most bytes that a piece with its delimiter may have.</param>
    /// <param name="cancellationToken">Cancelling loses no byte that was not handed over, and the stream stays usable.</param>
    /// <param name="timeout">Replaces the time limits of the stream for this read: see <see cref="IOStreamOptions.ReadTimeout"/>.</param>
    /// <returns>True if <paramref name="handle"/> has ended the read; false at a regular EOF, also when called again.</returns>
    /// <remarks>
    /// <para>The cheapest way to read many small messages: everything that arrives together is handed over with one await. To hold the peer
    /// back, or to await anything, return false, and call again afterwards.</para>
    /// <para>Data after the last delimiter is the last piece, if it is not empty. Errors are those of
    /// <see cref="ReadUntilAsync(ReadOnlySpan{byte}, int?, CancellationToken, TimeSpan?)"/>. May be called from any thread. Tornado has no
    /// such form.</para>
    /// </remarks>
    public ValueTask<bool> SplitAsync(
        ReadOnlySpan<byte> delimiter, Func<ReadOnlySpan<byte>, bool> handle, int? maxBytes = null,
        CancellationToken cancellationToken = default, TimeSpan? timeout = null)
    {
        if (delimiter.IsEmpty) throw new ArgumentException("The delimiter is empty.", nameof(delimiter));
        ArgumentNullException.ThrowIfNull(handle);
        CheckLimit(maxBytes, timeout);
        if (!Loop.IsCurrent)
        {
            return ReadOffLoop((Delimiter: delimiter.ToArray(), handle, maxBytes, cancellationToken, timeout),
                static (stream, call) =>
                    stream.SplitAsync(call.Delimiter, call.handle, call.maxBytes, call.cancellationToken, call.timeout));
        }

        return TryBeginRead(cancellationToken, out ValueTask<bool> refusal)
            ? Read(SplitRead.Rent(delimiter, maxBytes, handle), cancellationToken, timeout)
            : refusal;
    }

    private async IAsyncEnumerable<byte[]> PiecesAsync(
        byte[] delimiter, int? maxBytes, TimeSpan? timeout, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Func<ReadOnlySpan<byte>, byte[]> withoutDelimiter = piece => piece[..^delimiter.Length].ToArray();
        while (true)
        {
            byte[]? piece = null;
            try
            {
                piece = await ReadUntilAsync(delimiter, withoutDelimiter, maxBytes, cancellationToken, timeout);
            }
            catch (StreamClosedException closed) when (closed.Reason == CloseReason.EndOfStream)
            {
            }

            if (piece is null) break;
            yield return piece;
        }

        byte[] rest = await ReadRestAsync();
        if (rest.Length > 0) yield return rest;
    }
}
