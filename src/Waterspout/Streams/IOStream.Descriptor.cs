using System.Net;
using System.Net.Sockets;
using Waterspout.Connecting;
using Waterspout.Interop;

namespace Waterspout;

// The descriptor, and what is known of its connection. Only the loop closes it, and uses it without a lock; other threads use it under the
// lock, and not once it is marked as closed, since the number may then belong to another file.
public partial class IOStream
{
    // One for all streams: it is held for a moment, and the loop takes it only to mark a descriptor as closed.
    private static readonly Lock s_descriptors = new();

    private Descriptor _fd;
    private SocketDetails? _details; // created on demand, or when the stream closes

    /// <summary>The socket, for its options. Only the stream may read, write or close it.</summary>
    /// <remarks>
    /// The one that the stream was created from; otherwise one that is created at the first use, with its own descriptor. It is disposed
    /// with the stream. Disposing it earlier does not affect the stream. May be called from any thread.
    /// </remarks>
    /// <exception cref="ObjectDisposedException">The stream is closed, or was upgraded to TLS.</exception>
    public Socket Socket => GetSocket();

    /// <summary>The address of the peer, also after the stream has closed; null if there has been none, as before connecting.</summary>
    /// <remarks>
    /// It is empty for a peer on a Unix socket that has not bound its side. Behind a proxy that says it, it is the client's address:
    /// <see cref="ProxyHeader"/> has the proxy's. May be called from any thread.
    /// </remarks>
    public EndPoint? RemoteEndPoint => GetPeer();

    /// <summary>The address of this side, also after the stream has closed; null if there is none.</summary>
    /// <remarks>May be called from any thread.</remarks>
    public EndPoint? LocalEndPoint => SocketAddresses.ToEndPoint(GetAddress(isPeer: false));

    /// <inheritdoc/>
    protected override int Fileno => _fd.Number;

    private protected override int HeldBySystem => Queues.Unacknowledged(_fd);

    /// <summary>The stream that owns the connection now: this one, or the one that it was upgraded to.</summary>
    internal IOStream Holder => _details?.Upgraded is { } upgraded && upgraded.TryGetTarget(out IOStream? holder) ? holder : this;

    /// <summary>The address of this side is a path or an abstract name.</summary>
    internal bool IsOverUnixSocket => SocketOptions.GetFamily(_fd) == AddressFamily.Unix;

    private bool IsSocketConnected => _phase == SocketPhase.Connected;

    private SocketDetails Details => _details ?? Interlocked.CompareExchange(ref _details, new SocketDetails(), null) ?? _details;

    /// <summary>Turns Nagle's algorithm off (true) or on (false). Does nothing on a Unix socket, or if the peer has just closed.</summary>
    /// <remarks>May be called from any thread.</remarks>
    public override void SetNoDelay(bool value)
    {
        lock (s_descriptors)
            if (_fd.IsOpen) SocketOptions.SetNoDelay(_fd, value);
    }

    /// <summary>The process on the other side of a Unix socket. May be called from any thread.</summary>
    /// <returns>
    /// What the kernel noted when the connection was made: for a server the client that connected, for a client the process that called
    /// listen. It stays so, whoever has the socket now.
    /// </returns>
    /// <remarks>One system call; nothing is sent to the peer, and nothing needed of it. Tornado has no such call.</remarks>
    /// <exception cref="NotSupportedException">It is not a Unix socket.</exception>
    /// <exception cref="InvalidOperationException">The stream is not connected.</exception>
    /// <exception cref="ObjectDisposedException">The stream is closed, or was upgraded.</exception>
    public PeerCredentials GetPeerCredentials()
    {
        lock (s_descriptors)
        {
            ObjectDisposedException.ThrowIf(IsClosed || !_fd.IsOpen, this);
            if (!IsOverUnixSocket) throw new NotSupportedException("Only Unix sockets know the process of their peer.");
            PosixResult result = DescriptorMessages.GetPeer(_fd, out (int Process, uint User, uint Group) peer);
            if (!result.IsSuccess) throw PosixResult.ToSocketException(result.Error);
            if (!IsSocketConnected) throw new InvalidOperationException("The stream is not connected.");
            return new PeerCredentials(peer.Process, peer.User, peer.Group);
        }
    }

    /// <summary>The name of the stream in logs: <c>IOStream 12 #3456 192.0.2.1:443</c>.</summary>
    /// <returns>
    /// The class, the descriptor (which may be reused by the next connection), the number of the connection (unique in this process), and
    /// the peer's address if there is one.
    /// </returns>
    public override string ToString()
    {
        string peer = GetPeer() is { } address ? $" {address}" : "";
        return $"{GetType().Name} {_fd} #{Details.Number}{peer}".TrimEnd();
    }

    /// <inheritdoc/>
    protected override void CloseFd()
    {
        if (!_fd.IsOpen) return;
        FileDescriptors.Close(LetGoOfDescriptor());
        _details?.Socket?.Dispose();
    }

    /// <summary>The descriptor is not used from here on. What it says about the connection is kept.</summary>
    private Descriptor LetGoOfDescriptor()
    {
        Descriptor fd = _fd;
        if (IsSocketConnected) Details.Keep(fd);
        lock (s_descriptors) _fd = fd.AsClosed();
        return fd;
    }

    /// <summary>This stream owns the connection from now on.</summary>
    private void TakeDescriptor(IOStream other)
    {
        _details = other.Details;
        _fd = other.LetGoOfDescriptor();
    }

    private Socket GetSocket()
    {
        lock (s_descriptors)
        {
            ObjectDisposedException.ThrowIf(IsClosed || !_fd.IsOpen, this);
            return Details.Socket ??= OwnedSockets.Make(_fd);
        }
    }

    private EndPoint? GetPeer() => _details?.Proxy?.Source ?? SocketAddresses.ToEndPoint(GetAddress(isPeer: true));

    private byte[]? GetAddress(bool isPeer)
    {
        lock (s_descriptors)
        {
            if (!_fd.IsOpen) return isPeer ? _details?.Peer : _details?.Local;
            return isPeer ? SocketAddresses.GetPeer(_fd, IsSocketConnected) : SocketAddresses.GetLocal(_fd);
        }
    }
}
