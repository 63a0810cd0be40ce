using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Waterspout.Duplex;

namespace Waterspout.Kestrel.Connections;

/// <summary>What accepted and outgoing connections have in common as <see cref="ConnectionContext"/>.</summary>
internal abstract class PipeConnectionContext : ConnectionContext, IConnectionIdFeature, IConnectionTransportFeature, IConnectionItemsFeature,
    IConnectionLifetimeFeature, IConnectionEndPointFeature
{
    private static long s_lastId = DateTime.UtcNow.Ticks;

    private readonly PipeConnection _connection;

    protected PipeConnectionContext(PipeConnection connection, CancellationToken closed)
    {
        Transport = _connection = connection;
        ConnectionClosed = closed;
        Features.Set<IConnectionIdFeature>(this);
        Features.Set<IConnectionTransportFeature>(this);
        Features.Set<IConnectionItemsFeature>(this);
        Features.Set<IConnectionLifetimeFeature>(this);
        Features.Set<IConnectionEndPointFeature>(this);
    }

    public override IFeatureCollection Features { get; } = new FeatureCollection(16);

    public override string ConnectionId
    {
        get => field ??= Interlocked.Increment(ref s_lastId).ToString("X", null);
        set;
    }

    public override IDictionary<object, object?> Items
    {
        get => field ??= new ConnectionItems();
        set;
    }

    public override IDuplexPipe Transport { get; set; }

    public override CancellationToken ConnectionClosed { get; set; }

    public override EndPoint? LocalEndPoint { get; set; }

    public override EndPoint? RemoteEndPoint { get; set; }

    public override void Abort(ConnectionAbortedException abortReason) => _connection.Abort(abortReason);

    public override void Abort() => Abort(new ConnectionAbortedException());
}
