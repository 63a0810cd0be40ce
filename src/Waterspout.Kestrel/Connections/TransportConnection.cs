using System.Buffers;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Waterspout.Interop;

namespace Waterspout.Kestrel.Connections;

/// <summary>What Kestrel, its middlewares and connection handlers see of a connection.</summary>
internal sealed class TransportConnection : PipeConnectionContext, IMemoryPoolFeature, IConnectionSocketFeature
{
    private readonly SocketConnection _connection;
    private readonly Descriptor _fd;
    private readonly Lock _lock = new();
    private Socket? _socket;
    private bool _isDisposed;

    internal TransportConnection(SocketConnection connection, Descriptor fd, MemoryPool<byte> pool)
        : base(connection, connection.ConnectionClosed)
    {
        _connection = connection;
        _fd = fd;
        MemoryPool = pool;
        LocalEndPoint = SocketAddresses.ToEndPoint(SocketAddresses.GetLocal(fd));
        RemoteEndPoint = SocketAddresses.ToEndPoint(SocketAddresses.GetPeer(fd, wasConnected: true));
        Features.Set<IMemoryPoolFeature>(this);
        Features.Set<IConnectionSocketFeature>(this);
    }

    public MemoryPool<byte> MemoryPool { get; }

    /// <summary>A socket with a descriptor of its own for the same connection, so that no use of it can close the connection's.</summary>
    public Socket Socket
    {
        get
        {
            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(_isDisposed, this);
                return _socket ??= new Socket(FileDescriptors.Duplicate(_fd).ToSocketHandle());
            }
        }
    }

    /// <summary>
    /// Sends what is unsent, and ends the connection. Completes when both is done, and the callbacks of the token have run.
    /// </summary>
    public override async ValueTask DisposeAsync()
    {
        _connection.Input.Complete();
        _connection.Output.Complete();
        lock (_lock)
        {
            _isDisposed = true;
            _socket?.Dispose();
        }

        _connection.SignalClosed();
        await _connection.Sent.ConfigureAwait(false);
        await _connection.Notified.ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }
}
