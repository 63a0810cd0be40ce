namespace Waterspout.Interop;

/// <summary>How much the system holds for a descriptor, in either direction.</summary>
internal static unsafe class Queues
{
    /// <summary>Bytes that have arrived and were not received. Of a pipe, also from its write end. Zero if that is not known.</summary>
    internal static int Unread(Descriptor fd) => Query(fd, LibC.FIONREAD);

    /// <summary>Bytes that were sent on a socket, and that the peer's system has not acknowledged. Zero if that is not known.</summary>
    /// <remarks>Of a Unix socket it is memory: each piece counts until it has been read completely, with what the system adds.</remarks>
    internal static int Unacknowledged(Descriptor fd) => Query(fd, LibC.TIOCOUTQ);

    private static int Query(Descriptor fd, nuint request)
    {
        int count = 0;
        // SAFETY: both requests store one int, here, before they return.
        return LibC.ioctl(fd.Number, request, &count) < 0 ? 0 : count;
    }
}
