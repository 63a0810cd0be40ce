namespace Waterspout;

/// <summary>What a descriptor is ready for, or what a handler waits for.</summary>
/// <remarks>The numbers are those of Tornado, epoll and poll, which all agree.</remarks>
[Flags]
public enum IOEvents
{
    /// <summary>Nothing but errors, which are always reported.</summary>
    None = 0,

    /// <summary>A read would not block: there is data, or EOF.</summary>
    Read = 0x001,

    /// <summary>An exceptional condition, such as urgent data of TCP (MSG_OOB). Reads stop once before it.</summary>
    Priority = 0x002,

    /// <summary>A write would not block.</summary>
    Write = 0x004,

    /// <summary>Both sides have hung up: the part of <see cref="Error"/> that means EOF. Reported whether requested or not.</summary>
    HangUp = 0x010,

    /// <summary>An error is pending, or both sides have hung up. Reported whether requested or not.</summary>
    Error = 0x018,

    /// <summary>The peer will send nothing more. What it has sent may still be unread.</summary>
    ReadClosed = 0x2000,
}
