namespace Waterspout;

/// <summary>What a stream may take for granted of its hooks, <see cref="BaseIOStream.ReadFromFd(Span{byte})"/> and <see cref="BaseIOStream.WriteToFd(ReadOnlySpan{byte})"/>.</summary>
/// <remarks>
/// Each of them saves a system call a message where it holds, and makes a stream wait for ever where it does not. <see cref="None"/> is right for any hooks.
/// </remarks>
[Flags]
public enum DescriptorTraits : byte
{
    /// <summary>Nothing: each hook is called until it returns null, and the poller looks at the descriptor again after that.</summary>
    None = 0,

    /// <summary>
    /// The hooks return null only when the kernel says of this descriptor that the call would block (EAGAIN), so that the next event comes by itself.
    /// </summary>
    Exact = 1,

    /// <summary>
    /// A read or write of less than was asked for means that the next one would block. True for TCP alone of what the kernel has: everything else may stop at
    /// the end of a message, a packet, a line, a record, or in front of descriptors that a message carries.
    /// </summary>
    ShortMeansBlocked = 2,
}
