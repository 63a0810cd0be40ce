namespace Waterspout;

/// <summary>The operation could not start or complete because the stream is closed.</summary>
/// <remarks>
/// The inner exception is the original error, if there was one. Difference from Tornado (StreamClosedError): <see cref="Reason"/> says why
/// the stream closed.
/// </remarks>
public class StreamClosedException : IOException
{
    /// <summary>Creates the exception.</summary>
    public StreamClosedException()
        : this(CloseReason.None)
    {
    }

    /// <summary>Creates the exception with a message.</summary>
    public StreamClosedException(string? message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with a message and the original error.</summary>
    public StreamClosedException(string? message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Creates the exception for a reason and the original error.</summary>
    public StreamClosedException(CloseReason reason, Exception? innerException = null)
        : base(Describe(reason, innerException), innerException) => Reason = reason;

    /// <summary>Why the stream closed.</summary>
    public CloseReason Reason { get; }

    private static string Describe(CloseReason reason, Exception? error) => reason switch
    {
        CloseReason.Local => "The stream is closed: it was closed on this side.",
        CloseReason.EndOfStream when error is EndOfStreamException => $"The stream is closed: the peer has closed it. {error.Message}",
        CloseReason.EndOfStream => "The stream is closed: the peer has closed it.",
        CloseReason.Truncated => "The stream is closed: the TLS connection was cut off without close_notify.",
        CloseReason.Reset => "The stream is closed: the connection was lost.",
        CloseReason.Timeout => "The stream is closed: a time limit expired.",
        CloseReason.Error when error is not null => $"The stream is closed: {error.Message}",
        _ => "The stream is closed.",
    };
}

/// <summary>A buffer would have grown beyond its limit.</summary>
/// <remarks>
/// Thrown by a write that would exceed <see cref="IOStreamOptions.MaxWriteBufferSize"/>: nothing of it is sent and the stream stays usable.
/// It is the inner exception of <see cref="StreamClosedException"/> for a read that would exceed
/// <see cref="IOStreamOptions.MaxBufferSize"/>: the stream is then closed.
/// </remarks>
public class StreamBufferFullException : IOException
{
    /// <summary>Creates the exception.</summary>
    public StreamBufferFullException()
        : base("The buffer is full.")
    {
    }

    /// <summary>Creates the exception with a message.</summary>
    public StreamBufferFullException(string? message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with a message and the original error.</summary>
    public StreamBufferFullException(string? message, Exception? innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>A read has exceeded its limit in bytes: there was no delimiter or match within it, or the message is longer.</summary>
/// <remarks>
/// The read consumes nothing, and the stream stays open. With <see cref="ReadLimitAction.Close"/> it is the inner exception of the
/// <see cref="StreamClosedException"/> that the read fails with, and the stream is closed.
/// </remarks>
public class UnsatisfiableReadException : IOException
{
    /// <summary>Creates the exception.</summary>
    public UnsatisfiableReadException()
        : base("The read cannot be satisfied within its limit.")
    {
    }

    /// <summary>Creates the exception with a message.</summary>
    public UnsatisfiableReadException(string? message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with a message and the original error.</summary>
    public UnsatisfiableReadException(string? message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
