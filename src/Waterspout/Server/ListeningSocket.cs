using System.Net;
using System.Net.Sockets;
using Waterspout.Connecting;
using Waterspout.Interop;

namespace Waterspout.Server;

/// <summary>A bound socket, with the file of its path if it has one.</summary>
internal sealed class ListeningSocket
{
    private readonly SafeSocketHandle _handle;
    private readonly UnixPath? _file;
    private bool _isReleased;

    private ListeningSocket(SafeSocketHandle handle, EndPoint bound, UnixPath? file)
    {
        _handle = handle;
        _file = file;
        EndPoint = bound;
    }

    internal EndPoint EndPoint { get; }

    internal int Descriptor => (int)_handle.DangerousGetHandle();

    /// <summary>Binds a new socket to the address. No client can connect before <see cref="Listen"/>.</summary>
    /// <param name="endPoint">An IP address, or the path or abstract name of a Unix socket.</param>
    /// <param name="isShared">Others may bind to the same port.</param>
    /// <param name="configure">Sets further options, before the bind.</param>
    internal static ListeningSocket Bind(EndPoint endPoint, bool isShared, Action<int> configure)
    {
        UnixPath.RemoveDead(endPoint);
        // Not by a Socket: a Socket bound to a path removes whatever is there when it is closed.
        SafeSocketHandle handle = FileDescriptors.HandOver(
            Sockets.Create(ToDomain(endPoint)), fd => new SafeSocketHandle(fd, ownsHandle: true));
        try
        {
            int fd = (int)handle.DangerousGetHandle();
            if (endPoint is IPEndPoint ip) Prepare(fd, ip, isShared);
            configure(fd);
            Check(Sockets.Bind(fd, endPoint.Serialize()), endPoint);
            return new ListeningSocket(handle, LocalOf(fd)!, UnixPath.OfBound(endPoint));
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    internal void Listen(int backlog) => Check(Sockets.Listen(Descriptor, backlog), EndPoint);

    /// <summary>Closes the socket and removes its file. May be called from any thread, and again.</summary>
    /// <remarks>
    /// Done once: after the socket is closed, the inode number of its file may be reused. A stop and the loop's end may call this at the same
    /// time.
    /// </remarks>
    internal void Release()
    {
        if (Interlocked.Exchange(ref _isReleased, true)) return;
        _file?.Remove();
        _handle.Dispose();
    }

    private static EndPoint? LocalOf(int fd) => SocketAddresses.ToEndPoint(SocketAddresses.GetLocal(fd));

    private static int ToDomain(EndPoint endPoint) => endPoint.AddressFamily switch
    {
        AddressFamily.InterNetwork => LibC.AF_INET,
        AddressFamily.InterNetworkV6 => LibC.AF_INET6,
        AddressFamily.Unix => LibC.AF_UNIX,
        _ => throw new ArgumentException($"{endPoint} is neither an IP address nor a path.", nameof(endPoint)),
    };

    private static void Prepare(int fd, IPEndPoint endPoint, bool isShared)
    {
        if (endPoint.AddressFamily == AddressFamily.InterNetworkV6)
            _ = Sockets.SetOption(fd, LibC.IPPROTO_IPV6, LibC.IPV6_V6ONLY, endPoint.Address.Equals(IPAddress.IPv6Any) ? 0 : 1);
        // A port whose old connections are still in TIME_WAIT can be listened on again.
        _ = Sockets.SetOption(fd, LibC.SOL_SOCKET, LibC.SO_REUSEADDR, 1);
        if (isShared) _ = Sockets.SetOption(fd, LibC.SOL_SOCKET, LibC.SO_REUSEPORT, 1);
        // Accepted sockets inherit it. Small writes are gathered by turn, so Nagle's algorithm would only delay them.
        _ = Sockets.SetOption(fd, LibC.IPPROTO_TCP, LibC.TCP_NODELAY, 1);
    }

    private static void Check(PosixResult result, EndPoint endPoint)
    {
        if (result.IsSuccess) return;
        SocketException error = PosixResult.ToSocketException(result.Error);
        // ENOENT is about the path's folder. To clients it would mean that there is no listener.
        if (result.Error == Errno.ENOENT) error = new SocketException((int)SocketError.AddressNotAvailable, error.Message);
        throw AddressError.Of(error, endPoint);
    }
}
