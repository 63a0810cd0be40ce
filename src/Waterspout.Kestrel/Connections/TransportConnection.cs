using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Waterspout.Interop;

namespace Waterspout.Kestrel.Connections;

/// <summary>What Kestrel, its middlewares and connection handlers see of a connection.</summary>
internal sealed class TransportConnection : ConnectionContext, IConnectionIdFeature, IConnectionTransportFeature, IConnectionItemsFeature,
    IMemoryPoolFeature, IConnectionLifetimeFeature, IConnectionSocketFeature, IConnectionEndPointFeature
{
    private static long s_lastId = DateTime.UtcNow.Ticks;

    private readonly SocketConnection _connection;
    private readonly int _fd;
    private readonly Lock _lock = new();
    private string? _id;
    private Socket? _socket;
    private IDictionary<object, object?>? _items;
    private bool _isDisposed;

    internal TransportConnection(SocketConnection connection, int fd, MemoryPool<byte> pool)
    {
        _connection = connection;
        _fd = fd;
        MemoryPool = pool;
        Transport = connection;
        ConnectionClosed = connection.ConnectionClosed;
        LocalEndPoint = SocketAddresses.ToEndPoint(SocketAddresses.GetLocal(fd));
        RemoteEndPoint = SocketAddresses.ToEndPoint(SocketAddresses.GetPeer(fd, wasConnected: true));
        Features.Set<IConnectionIdFeature>(this);
        Features.Set<IConnectionTransportFeature>(this);
        Features.Set<IConnectionItemsFeature>(this);
        Features.Set<IMemoryPoolFeature>(this);
        Features.Set<IConnectionLifetimeFeature>(this);
        Features.Set<IConnectionSocketFeature>(this);
        Features.Set<IConnectionEndPointFeature>(this);
    }

    public override IFeatureCollection Features { get; } = new FeatureCollection(16);

    public override string ConnectionId
    {
        get => _id ??= Interlocked.Increment(ref s_lastId).ToString("X", null);
        set => _id = value;
    }

    public override IDictionary<object, object?> Items
    {
        get => _items ??= new ConnectionItems();
        set => _items = value;
    }

    public override IDuplexPipe Transport { get; set; }

    public override CancellationToken ConnectionClosed { get; set; }

    public override EndPoint? LocalEndPoint { get; set; }

    public override EndPoint? RemoteEndPoint { get; set; }

    public MemoryPool<byte> MemoryPool { get; }

    /// <summary>A socket with a descriptor of its own for the same connection, so that no use of it can close the connection's.</summary>
    public Socket Socket
    {
        get
        {
            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(_isDisposed, this);
                return _socket ??= new Socket(new SafeSocketHandle(FileDescriptors.Duplicate(_fd), ownsHandle: true));
            }
        }
    }

    public override void Abort(ConnectionAbortedException abortReason) => _connection.Abort(abortReason);

    public override void Abort() => Abort(new ConnectionAbortedException());

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
