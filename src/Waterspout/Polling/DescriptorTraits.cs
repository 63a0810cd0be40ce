namespace Waterspout;

/// <summary>
/// What a stream may assume about its hooks, <see cref="BaseIOStream.ReadFromFd(Span{byte})"/> and
/// <see cref="BaseIOStream.WriteToFd(ReadOnlySpan{byte})"/>.
/// </summary>
/// <remarks>
/// <see cref="None"/> is right for any hooks. <see cref="Exact"/> and <see cref="ShortMeansBlocked"/> each save a system call per message
/// if they are true, and make a stream wait for ever if they are not.
/// </remarks>
[Flags]
public enum DescriptorTraits : byte
{
    /// <summary>Nothing: each hook is called until it returns null, and the poller checks the descriptor again after that.</summary>
    None = 0,

    /// <summary>
    /// The hooks return null only if the kernel reports that a call on this descriptor would block (EAGAIN), so that the next event comes
    /// by itself.
    /// </summary>
    Exact = 1,

    /// <summary>
    /// A read or write of less than was asked for means that the next one would block. Of the kernel's descriptors this is true for TCP
    /// only: all others may stop at the end of a message, a packet, a line, a record, or before descriptors in a message.
    /// </summary>
    ShortMeansBlocked = 2,

    /// <summary>
    /// EOF is part of the data, like close_notify in TLS. What kind of EOF it is becomes known only after everything before it has been
    /// read, and this side's EOF can still be sent after the peer's.
    /// </summary>
    EofInData = 4,
}
