using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Waterspout.Interop;

/// <summary>Calls that work only on sockets. Calls interrupted by a signal are retried.</summary>
/// <remarks>Sends and receives do not rely on the socket's mode, which every holder of a duplicate may change.</remarks>
internal static unsafe class Sockets
{
    internal static PosixResult Receive(Descriptor fd, Span<byte> buffer, int flags = 0)
    {
        // SAFETY: the span is pinned for the call, and the descriptor is non-blocking, so the pin is short.
        fixed (byte* start = buffer)
        {
            nint n;
            do n = LibC.recv(fd.Number, start, (nuint)buffer.Length, LibC.MSG_DONTWAIT | flags);
            while (n < 0 && Marshal.GetLastSystemError() == (int)Errno.EINTR);
            return PosixResult.From(n);
        }
    }

    /// <summary>Checks for data without consuming it. If an error is returned instead, that error is consumed.</summary>
    internal static PosixResult Peek(Descriptor fd) => Receive(fd, [0], LibC.MSG_PEEK);

    internal static PosixResult Send(Descriptor fd, ReadOnlySpan<byte> data)
    {
        // SAFETY: the span is pinned for the call; the kernel copies what it accepts before it returns.
        fixed (byte* start = data)
        {
            nint n;
            do n = LibC.send(fd.Number, start, (nuint)data.Length, LibC.MSG_NOSIGNAL | LibC.MSG_DONTWAIT);
            while (n < 0 && Marshal.GetLastSystemError() == (int)Errno.EINTR);
            return PosixResult.From(n);
        }
    }

    internal static PosixResult Accept(Descriptor fd)
    {
        int accepted;
        do accepted = LibC.accept4(fd.Number, null, null, LibC.SOCK_NONBLOCK | LibC.SOCK_CLOEXEC);
        while (accepted < 0 && Marshal.GetLastSystemError() == (int)Errno.EINTR);
        return PosixResult.From(accepted);
    }

    internal static PosixResult Connect(Descriptor fd, SocketAddress address)
    {
        // SAFETY: the address is pinned for the call. EINTR is not retried: the connect continues by itself, and a second call would return
        // EALREADY.
        fixed (byte* start = address.Buffer.Span)
        {
            PosixResult result = PosixResult.From(LibC.connect(fd.Number, start, (uint)address.Size));
            return result.Error == Errno.EINTR ? PosixResult.Failure(Errno.EINPROGRESS) : result;
        }
    }

    internal static PosixResult Bind(Descriptor fd, SocketAddress address)
    {
        // SAFETY: the address is pinned for the call.
        fixed (byte* start = address.Buffer.Span)
            return PosixResult.From(LibC.bind(fd.Number, start, (uint)address.Size));
    }

    internal static PosixResult Listen(Descriptor fd, int backlog) => PosixResult.From(LibC.listen(fd.Number, backlog));

    /// <summary>A new non-blocking stream socket.</summary>
    internal static Descriptor Create(AddressFamily family) => Create(family, LibC.SOCK_STREAM);

    /// <summary>A new non-blocking datagram socket.</summary>
    internal static Descriptor CreateDatagram(AddressFamily family) => Create(family, LibC.SOCK_DGRAM);

    private static Descriptor Create(AddressFamily family, int type)
    {
        PosixResult result = PosixResult.From(
            LibC.socket(SocketOptions.ToDomain(family), type | LibC.SOCK_NONBLOCK | LibC.SOCK_CLOEXEC, 0));
        return result.IsSuccess ? result.Descriptor : throw PosixResult.ToSocketException(result.Error);
    }

    internal static (Descriptor, Descriptor) CreatePair()
    {
        // SAFETY: socketpair writes exactly two ints into the array on this stack frame.
        int* ends = stackalloc int[2];
        int type = LibC.SOCK_STREAM | LibC.SOCK_NONBLOCK | LibC.SOCK_CLOEXEC;
        PosixResult.From(LibC.socketpair(LibC.AF_UNIX, type, 0, ends)).ValueOrThrow("socketpair");
        return (new Descriptor(ends[0]), new Descriptor(ends[1]));
    }

    internal static bool IsListening(Descriptor fd) => GetOption(fd, LibC.SOL_SOCKET, LibC.SO_ACCEPTCONN) is { IsSuccess: true, Value: 1 };

    internal static PosixResult ShutdownWrites(Descriptor fd) => PosixResult.From(LibC.shutdown(fd.Number, LibC.SHUT_WR));

    /// <summary>
    /// The peer's system has everything that was sent, EOF included. On a Unix socket that is so at once: its queue is the peer's.
    /// </summary>
    internal static bool IsAcknowledged(Descriptor fd) => SocketOptions.GetFamily(fd) == AddressFamily.Unix || Queues.Unacknowledged(fd) == 0;

    internal static bool IsConnected(Descriptor fd)
    {
        // SAFETY: with a length of zero the kernel writes nothing but the length, which is on this stack frame.
        uint length = 0;
        byte none;
        return LibC.getpeername(fd.Number, &none, &length) == 0;
    }

    /// <summary>The peer has reset the connection. Does not consume a pending error.</summary>
    internal static bool WasReset(Descriptor fd)
    {
        // SAFETY: with this length the kernel writes nothing but the address's family.
        uint length = sizeof(ushort);
        ulong family;
        if (LibC.getsockopt(fd.Number, LibC.SOL_SOCKET, LibC.SO_PEERNAME, (int*)&family, &length) != 0) return false;
        // Excludes a socket that is still connecting.
        return Poll.HasHungUp(fd);
    }

    /// <summary>The descriptor is a socket. Queries its type, since a query of its error would consume that.</summary>
    internal static bool IsSocket(Descriptor fd) => GetOption(fd, LibC.SOL_SOCKET, LibC.SO_TYPE).IsSuccess;

    /// <summary>The socket does not preserve message boundaries.</summary>
    internal static bool IsStream(Descriptor fd) => GetOption(fd, LibC.SOL_SOCKET, LibC.SO_TYPE) is { IsSuccess: true, Value: LibC.SOCK_STREAM };

    /// <summary>TCP itself. MPTCP and SCTP have their own protocol numbers, and behave differently.</summary>
    internal static bool IsTcp(Descriptor fd) => GetOption(fd, LibC.SOL_SOCKET, LibC.SO_PROTOCOL) is { IsSuccess: true, Value: LibC.IPPROTO_TCP };

    internal static PosixResult GetOption(Descriptor fd, int level, int name)
    {
        // SAFETY: the value and its length are on this stack frame.
        int value = 0;
        uint length = sizeof(int);
        PosixResult result = PosixResult.From(LibC.getsockopt(fd.Number, level, name, &value, &length));
        return result.IsSuccess ? PosixResult.From(value) : result;
    }

    internal static PosixResult SetOption(Descriptor fd, int level, int name, int value)
    {
        // SAFETY: the value is on this stack frame.
        return PosixResult.From(LibC.setsockopt(fd.Number, level, name, &value, sizeof(int)));
    }

    /// <summary>A close of the socket will reset the connection, if that is TCP, and drop what is unsent.</summary>
    internal static void ResetOnClose(Descriptor fd)
    {
        // SAFETY: the structure is on this stack frame. Its time of zero makes the close a reset.
        LibC.linger now = new() { l_onoff = 1 };
        _ = LibC.setsockopt(fd.Number, LibC.SOL_SOCKET, LibC.SO_LINGER, (int*)&now, (uint)sizeof(LibC.linger));
    }

    /// <summary>Closes the socket; over TCP with a reset, whatever is unsent.</summary>
    internal static void Reset(Descriptor fd)
    {
        ResetOnClose(fd);
        FileDescriptors.Close(fd);
    }

    /// <summary>The pending error of the socket, if any. The query clears it.</summary>
    internal static Errno TakeError(Descriptor fd)
    {
        PosixResult result = GetOption(fd, LibC.SOL_SOCKET, LibC.SO_ERROR);
        return result.IsSuccess ? (Errno)result.Value : result.Error;
    }
}
