using Waterspout.Interop;

namespace Waterspout.Duplex;

/// <summary>A connected stream socket without a stream of ours: TCP or Unix. It owns the descriptor.</summary>
internal class SocketDescriptor(Descriptor fd, IOStreamOptions? options = null) : IConnectionDescriptor
{
    public IOStreamOptions Options { get; } = options ?? IOStreamOptions.Default;

    public DescriptorTraits Traits { get; private set; } = Sockets.IsTcp(fd)
        ? DescriptorTraits.Exact | DescriptorTraits.ShortMeansBlocked
        : DescriptorTraits.Exact;

    public Descriptor Descriptor => fd;

    public int LargestMessage => 0;

    public bool IsShortOfMemory { get; private set; }

    public int? Receive(Memory<byte> space)
    {
        PosixResult result = Sockets.Receive(fd, space.Span);
        if (result.IsSuccess) return result.Value;
        return result.WouldBlock ? null : throw PosixResult.ToSocketException(result.Error);
    }

    public int? Send(ReadOnlySpan<byte> data) => ToSent(Sockets.Send(fd, data));

    public int? Send(ReadOnlySpan<ReadOnlyMemory<byte>> pieces) => ToSent(FileDescriptors.Gather(fd, pieces, isSocket: true));

    // Permanently: the kernel stops at each urgent byte, and reports only the latest.
    public void OnPriority() => Traits = DescriptorTraits.Exact;

    // A query would consume the error, which a receive reports after the data that arrived before it.
    public Exception? TakeError() => null;

    public bool IsWriteOnly => false;

    public bool ShutdownWrites()
    {
        _ = Sockets.ShutdownWrites(fd);
        return true;
    }

    public void ResetOnClose() => Sockets.ResetOnClose(fd);

    public virtual void Close(CloseOutcome outcome, long unsent) => FileDescriptors.Close(fd);

    private int? ToSent(PosixResult result)
    {
        IsShortOfMemory = result.IsShortOfMemory;
        if (result.IsSuccess) return result.Value;
        return result.WouldBlock || result.IsShortOfMemory ? null : throw PosixResult.ToSocketException(result.Error);
    }
}
