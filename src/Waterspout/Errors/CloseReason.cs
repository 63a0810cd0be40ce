namespace Waterspout;

/// <summary>Why a stream has closed.</summary>
public enum CloseReason : byte // a stream keeps one, and there are many streams
{
    /// <summary>The stream is open, and EOF has not been seen.</summary>
    None,

    /// <summary>This side closed it.</summary>
    Local,

    /// <summary>The peer sent a regular EOF.</summary>
    EndOfStream,

    /// <summary>A TLS connection ended without close_notify: later data may have been cut off.</summary>
    Truncated,

    /// <summary>The connection was reset, aborted or lost; or the reader of a pipe has closed.</summary>
    Reset,

    /// <summary>A time limit expired: the write timeout, or that of an orderly close.</summary>
    Timeout,

    /// <summary>An error: see <see cref="BaseIOStream.Error"/>.</summary>
    Error,
}
