using System.Net;
using System.Net.Sockets;
using Waterspout.Connecting;
using Waterspout.Interop;

namespace Waterspout.Server;

/// <summary>A bound socket: one of our own, with the file of its path if it has one, or a user's.</summary>
internal sealed class ListeningSocket
{
    private readonly SafeSocketHandle _handle;
    private readonly UnixPath? _file;
    private readonly Socket? _adopted;
    private bool _isReleased;

    private ListeningSocket(SafeSocketHandle handle, EndPoint bound, UnixPath? file, Socket? adopted)
    {
        _handle = handle;
        _file = file;
        _adopted = adopted;
        EndPoint = bound;
    }

    internal EndPoint EndPoint { get; }

    internal Descriptor Descriptor => Descriptor.Of(_handle);

    /// <summary>Binds a new socket to the address. No client can connect before <see cref="Listen"/>.</summary>
    /// <param name="endPoint">An IP address, or the path or abstract name of a Unix socket.</param>
    /// <param name="isShared">Others may bind to the same port.</param>
    /// <param name="mode">The permissions of the path's file; null for what the process's umask leaves.</param>
    /// <param name="configure">Sets further options, before the bind.</param>
    internal static ListeningSocket Bind(EndPoint endPoint, bool isShared, UnixFileMode? mode, Action<Descriptor> configure)
    {
        UnixPath.RemoveDead(endPoint);
        // Not by a Socket: a Socket bound to a path removes whatever is there when it is closed.
        SafeSocketHandle handle = FileDescriptors.HandOver(
            Sockets.Create(FamilyOf(endPoint)), fd => fd.ToSocketHandle());
        try
        {
            Descriptor fd = Descriptor.Of(handle);
            if (endPoint is IPEndPoint ip) Prepare(fd, ip, isShared);
            configure(fd);
            Check(Sockets.Bind(fd, endPoint.Serialize()), endPoint);
            UnixPath? file = UnixPath.OfBound(endPoint);
            // No client can connect yet, so none gets in by a mode that is too wide.
            if (mode is { } permissions) file?.SetMode(permissions);
            return new ListeningSocket(handle, LocalOf(fd)!, file, adopted: null);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Takes a socket that a user, or a supervisor, has bound. Until <see cref="Listen"/> has succeeded it can be given back.
    /// </summary>
    /// <exception cref="ArgumentException">It is not a stream socket that is bound to an IP address or a Unix address.</exception>
    /// <exception cref="InvalidOperationException">It is in use already.</exception>
    internal static ListeningSocket Adopt(Socket listening, Action<Descriptor> configure)
    {
        if (listening.SocketType != SocketType.Stream) throw new ArgumentException("Not a stream socket.", nameof(listening));
        Descriptor fd = OwnedSockets.Take(listening);
        try
        {
            if (LocalOf(fd) is not { } bound || bound is IPEndPoint { Port: 0 })
                throw new ArgumentException("The socket is not bound to an IP address or a Unix socket's address.", nameof(listening));
            FileDescriptors.SetNonBlocking(fd);
            GatherByTurn(fd);
            configure(fd);
            return new ListeningSocket(fd.ToSocketHandle(), bound, file: null, listening);
        }
        catch
        {
            FileDescriptors.Close(fd);
            OwnedSockets.GiveBack(listening);
            throw;
        }
    }

    /// <summary>Lets clients connect. A user's socket that listens already keeps its backlog.</summary>
    internal void Listen(int backlog)
    {
        if (!Sockets.IsListening(Descriptor)) Check(Sockets.Listen(Descriptor, backlog), EndPoint);
    }

    /// <summary>Closes the socket and removes its file. May be called from any thread, and again.</summary>
    /// <remarks>
    /// Done once: after the socket is closed, the inode number of its file may be reused. A stop and the loop's end may call this at the
    /// same time.
    /// </remarks>
    internal void Release()
    {
        if (Interlocked.Exchange(ref _isReleased, true)) return;
        _file?.Remove();
        _handle.Dispose();
        _adopted?.Dispose();
    }

    /// <summary>As <see cref="Release"/>, but a user's socket stays the user's: nothing is listened on.</summary>
    internal void Abandon()
    {
        if (_adopted is null)
        {
            Release();
            return;
        }

        _handle.Dispose();
        OwnedSockets.GiveBack(_adopted);
    }

    private static EndPoint? LocalOf(Descriptor fd) => SocketAddresses.ToEndPoint(SocketAddresses.GetLocal(fd));

    private static AddressFamily FamilyOf(EndPoint endPoint) =>
        endPoint.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6 or AddressFamily.Unix
            ? endPoint.AddressFamily
            : throw new ArgumentException($"{endPoint} is neither an IP address nor a path.", nameof(endPoint));

    private static void Prepare(Descriptor fd, IPEndPoint endPoint, bool isShared)
    {
        if (endPoint.AddressFamily == AddressFamily.InterNetworkV6)
            SocketOptions.SetIPv6Only(fd, !endPoint.Address.Equals(IPAddress.IPv6Any));
        SocketOptions.ReuseAddress(fd);
        if (isShared) SocketOptions.SharePort(fd);
        GatherByTurn(fd);
    }

    // Accepted sockets inherit it. Small writes are gathered by turn, so Nagle's algorithm would only delay them.
    private static void GatherByTurn(Descriptor fd) => SocketOptions.SetNoDelay(fd, true);

    private static void Check(PosixResult result, EndPoint endPoint)
    {
        if (result.IsSuccess) return;
        SocketException error = PosixResult.ToSocketException(result.Error);
        // It is about the path's folder. To clients it would mean that there is no listener.
        if (result.HasNoPath) error = new SocketException((int)SocketError.AddressNotAvailable, error.Message);
        throw AddressError.Of(error, endPoint);
    }
}
