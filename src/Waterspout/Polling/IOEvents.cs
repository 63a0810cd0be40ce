namespace Waterspout;

/// <summary>What a descriptor is, or should be, ready for.</summary>
/// <remarks>The numbers are those of Tornado, of epoll and of poll, which all agree.</remarks>
[Flags]
public enum IOEvents
{
    /// <summary>Nothing but errors, which are always told.</summary>
    None = 0,

    /// <summary>Reading would not block: data has come, or the end.</summary>
    Read = 0x001,

    /// <summary>Something exceptional has come: urgent data of TCP (MSG_OOB), for example. Reading stops in front of it once.</summary>
    Priority = 0x002,

    /// <summary>Writing would not block.</summary>
    Write = 0x004,

    /// <summary>Both sides have hung up: the part of <see cref="Error"/> that is an end. Told whether asked for or not.</summary>
    HangUp = 0x010,

    /// <summary>An error is waiting, or both sides have hung up. Told whether asked for or not.</summary>
    Error = 0x018,

    /// <summary>The peer will send nothing more. What it has sent may still be unread.</summary>
    ReadClosed = 0x2000,
}
