namespace Waterspout;

/// <summary>
/// What a stream may assume about its hooks, <see cref="BaseIOStream.ReadFromFd(Span{byte})"/> and
/// <see cref="BaseIOStream.WriteToFd(ReadOnlySpan{byte})"/>.
/// </summary>
/// <remarks>
/// Each one saves a system call per message if it is true, and makes a stream wait for ever if it is not. <see cref="None"/> is right for
/// any hooks.
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
}
