namespace Waterspout;

/// <summary>What happens to a stream when a read exceeds its <c>maxBytes</c>: see <see cref="IOStreamOptions.OnReadLimit"/>.</summary>
public enum ReadLimitAction : byte
{
    /// <summary>
    /// The read fails with <see cref="UnsatisfiableReadException"/>. Nothing is consumed, and the stream stays open: the peer can be
    /// answered, or <see cref="BaseIOStream.DiscardUntilAsync"/> drops what is too long.
    /// </summary>
    Keep,

    /// <summary>
    /// The stream closes, as in Tornado. The read fails with a <see cref="StreamClosedException"/> that has the
    /// <see cref="UnsatisfiableReadException"/> as its inner exception.
    /// </summary>
    Close,
}
