using Waterspout.Interop;

namespace Waterspout.Duplex;

/// <summary>
/// The descriptor of a connection, and the calls on it. None waits. A connection makes sure that it is not closed during one.
/// </summary>
internal interface IConnectionDescriptor
{
    IOStreamOptions Options { get; }

    /// <summary>The stream whose descriptor it is; null if there is none.</summary>
    BaseIOStream? Stream => null;

    DescriptorTraits Traits { get; }

    /// <summary>The descriptor itself, for the poller.</summary>
    Descriptor Descriptor { get; }

    /// <inheritdoc cref="IHalfOwner.LargestMessage"/>
    int LargestMessage { get; }

    /// <inheritdoc cref="IHalfOwner.Receive"/>
    int? Receive(Memory<byte> space);

    /// <inheritdoc cref="IHalfOwner.Send(ReadOnlySpan{byte})"/>
    int? Send(ReadOnlySpan<byte> data);

    /// <inheritdoc cref="IHalfOwner.Send(ReadOnlySpan{byte})"/>
    int? Send(ReadOnlyMemory<byte> data) => Send(data.Span);

    /// <inheritdoc cref="IHalfOwner.Send(ReadOnlySpan{byte})"/>
    int? Send(ReadOnlySpan<ReadOnlyMemory<byte>> pieces);

    /// <summary>The system had no memory for the last send. There is no event for when it has.</summary>
    bool IsShortOfMemory { get; }

    /// <summary>Something may be received. Under the lock of the receiving side.</summary>
    /// <param name="isLast">The peer's EOF or an error follows, and nothing more will be reported.</param>
    void OnReadable(bool isLast)
    {
    }

    /// <summary>The poller has reported urgent data: a receive stops before it, although there is more.</summary>
    void OnPriority();

    /// <summary>The poller has reported an error that a receive would not meet. Null if a receive meets it.</summary>
    Exception? TakeError();

    /// <summary>Nothing can be received, so the end of the output is that of the connection.</summary>
    bool IsWriteOnly { get; }

    /// <summary>
    /// Sends what belongs to the end of this side and precedes <see cref="ShutdownWrites"/>. Under the lock of the sending side.
    /// </summary>
    /// <returns>False if it would block: it is called again when the descriptor is writable.</returns>
    bool TryEndWrites() => true;

    /// <summary>Notifies the peer that nothing more will be written.</summary>
    /// <returns>False if the descriptor cannot be closed in one direction.</returns>
    bool ShutdownWrites();

    /// <summary>The close will reset the connection, if the descriptor can do that.</summary>
    void ResetOnClose();

    /// <summary>Closes the descriptor. Called once, on the loop's thread or when the loop has ended.</summary>
    /// <param name="outcome">Why.</param>
    /// <param name="unsent">The number of bytes that were written and are dropped.</param>
    void Close(CloseOutcome outcome, long unsent);
}
