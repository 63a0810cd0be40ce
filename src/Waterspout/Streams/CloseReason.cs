namespace Waterspout;

/// <summary>Why a stream has closed.</summary>
public enum CloseReason : byte // a stream keeps one, and is one of many
{
    /// <summary>It is open, and its end has not been seen.</summary>
    None,

    /// <summary>This side closed it.</summary>
    Local,

    /// <summary>The peer ended it in the regular way.</summary>
    EndOfStream,

    /// <summary>A TLS connection ended without close_notify: somebody may have cut off what was still to come.</summary>
    Truncated,

    /// <summary>The connection was reset, aborted or lost; or, on a pipe, its reader has gone.</summary>
    Reset,

    /// <summary>A time limit passed: the write timeout, or the one of a graceful close.</summary>
    Timeout,

    /// <summary>An error: see <see cref="BaseIOStream.Error"/>.</summary>
    Error,
}
