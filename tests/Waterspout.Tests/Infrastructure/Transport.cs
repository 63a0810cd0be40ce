namespace Waterspout.Tests;

/// <summary>What the contracts need to know of a kind of stream: how to create a connected pair.</summary>
public abstract class Transport
{
    /// <summary>Of the kernel's buffers of a TCP connection, which else grow to tens of megabytes, and have to be filled for each write that is to wait.</summary>
    protected const int BufferSize = 256 * 1024;

    /// <summary>Data can be sent from right to left as well.</summary>
    public virtual bool IsDuplex => true;

    /// <summary>Each receive returns at most one byte, so that every byte is handled alone.</summary>
    public virtual bool IsBytewise => false;

    /// <summary>More bytes than all kernel buffers hold: some stay unsent until the other side reads.</summary>
    public virtual int MoreThanTheKernelTakes => 4 * 1024 * 1024;

    /// <summary>The reason that a stream reports when its peer was closed at once, with nothing left unread.</summary>
    public virtual CloseReason ReasonOfAbruptClose => CloseReason.EndOfStream;

    /// <summary>The reason that a stream reports when it knows of the peer's EOF, and has not read the data before it.</summary>
    public virtual CloseReason ReasonOfKnownEnd => CloseReason.EndOfStream;

    /// <summary>A close with unread data is a reset for the peer. Otherwise the peer sees the end of the stream.</summary>
    public virtual bool HasResets => true;

    /// <summary>How often a test repeats what it would do this many times over a kind of stream that costs little.</summary>
    public virtual int Rounds(int many) => many;

    /// <summary>Two connected streams on the current loop: what is written to the left one is read from the right one.</summary>
    public abstract Task<(BaseIOStream Left, BaseIOStream Right)> ConnectAsync(IOStreamOptions? options);
}
