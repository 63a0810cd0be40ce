namespace Waterspout;

/// <summary>What the two halves of a connection ask of their owner, which has the descriptor.</summary>
/// <remarks>
/// The halves know no thread and no loop. The owner calls them under whatever protects them, such as being on the loop's thread, makes
/// their calls on the descriptor, and sees to it that the poller reports again when one would block.
/// </remarks>
internal interface IHalfOwner
{
    DescriptorTraits Traits { get; }

    /// <summary>Memory is sent by the form for several pieces, also where there is one piece.</summary>
    bool SendsMemory { get; }

    /// <returns>The number of bytes sent; null where it would block.</returns>
    int? Send(ReadOnlySpan<byte> data);

    /// <returns>The number of bytes sent; null where it would block.</returns>
    int? Send(ReadOnlySpan<ReadOnlyMemory<byte>> pieces);

    /// <summary>So many bytes were sent.</summary>
    void OnSent(int count);

    /// <summary>Sending would block, as the state says from now on.</summary>
    /// <param name="isNews">Something was sent, or sending did not block before.</param>
    void OnSendBlocked(bool isNews);
}
