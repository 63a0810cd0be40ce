namespace Waterspout.Interop;

/// <summary>A kernel counter that any thread may add to, and that a poller sees as readable.</summary>
internal sealed class EventFd : IDisposable
{
    private static readonly byte[] s_one = BitConverter.GetBytes(1UL);

    internal EventFd() =>
        Fd = PosixResult.From(LibC.eventfd(0, LibC.EFD_NONBLOCK | LibC.EFD_CLOEXEC)).DescriptorOrThrow("eventfd");

    internal Descriptor Fd { get; }

    internal void Signal() => FileDescriptors.Write(Fd, s_one);

    public void Dispose() => FileDescriptors.Close(Fd);
}
