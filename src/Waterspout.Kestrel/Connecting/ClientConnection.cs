using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Waterspout.Duplex;

namespace Waterspout.Kestrel.Connecting;

/// <summary>An outgoing connection.</summary>
internal sealed class ClientConnection : ConnectionContext, IConnectionIdFeature, IConnectionTransportFeature, IConnectionItemsFeature,
    IConnectionLifetimeFeature, IConnectionEndPointFeature
{
    private readonly PipeConnection _connection;
    private IDictionary<object, object?>? _items;

    internal ClientConnection(IOStream stream)
    {
        RemoteEndPoint = stream.RemoteEndPoint;
        LocalEndPoint = stream.LocalEndPoint;
        // Over a socket it is this class, whose token is cancelled by the peer's EOF already.
        Transport = _connection = (PipeConnection)stream.AsDuplexPipe();
        ConnectionClosed = _connection.Closed;
        Features.Set<IConnectionIdFeature>(this);
        Features.Set<IConnectionTransportFeature>(this);
        Features.Set<IConnectionItemsFeature>(this);
        Features.Set<IConnectionLifetimeFeature>(this);
        Features.Set<IConnectionEndPointFeature>(this);
    }

    public override IFeatureCollection Features { get; } = new FeatureCollection(8);

    public override string ConnectionId
    {
        get => field ??= Guid.NewGuid().ToString("N");
        set;
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

    public override void Abort(ConnectionAbortedException abortReason) => _connection.Abort(abortReason);

    public override void Abort() => Abort(new ConnectionAbortedException());

    public override async ValueTask DisposeAsync()
    {
        await _connection.CloseAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }
}
