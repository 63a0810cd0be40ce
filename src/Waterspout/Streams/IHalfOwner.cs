namespace Waterspout;

/// <summary>What the two halves of a connection need from their owner, which has the descriptor.</summary>
/// <remarks>
/// The halves know no thread and no loop. The owner calls them under whatever protects them, such as being on the loop's thread, makes
/// their calls on the descriptor, and makes sure that the poller reports again when one would block.
/// </remarks>
internal interface IHalfOwner
{
    IOStreamOptions Options { get; }

    DescriptorTraits Traits { get; }

    /// <summary>The least room for any receive, if the kernel drops the rest of a longer message. Zero if it drops nothing.</summary>
    int LargestMessage { get; }

    /// <returns>The number of bytes received; null if it would block; 0 at EOF.</returns>
    int? Receive(Memory<byte> space);

    /// <summary>This number of bytes was received.</summary>
    void OnReceived(int count);

    /// <summary>Receiving would block; the state has that from now on.</summary>
    void OnReceiveBlocked();

    /// <returns>The number of bytes sent; null if it would block.</returns>
    int? Send(ReadOnlySpan<byte> data);

    /// <returns>The number of bytes sent; null if it would block.</returns>
    int? Send(ReadOnlyMemory<byte> data);

    /// <returns>The number of bytes sent; null if it would block.</returns>
    int? Send(ReadOnlySpan<ReadOnlyMemory<byte>> pieces);

    /// <summary>This number of bytes was sent.</summary>
    void OnSent(int count);

    /// <summary>Sending would block; the state has that from now on.</summary>
    /// <param name="isNews">Something was sent, or sending did not block before.</param>
    void OnSendBlocked(bool isNews);
}
