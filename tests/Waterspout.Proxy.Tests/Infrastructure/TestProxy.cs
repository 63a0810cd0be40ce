using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Waterspout.Kestrel.Tests;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Model;

namespace Waterspout.Proxy.Tests;

/// <summary>A proxy between servers and clients, both sides of it on one of the two transports, and so are the servers.</summary>
internal sealed class TestProxy : IAsyncDisposable
{
    private readonly TransportKind _transport;
    private readonly Action<WebApplication> _map;
    private readonly List<TestServer> _backEnds = [];

    private TestProxy(TransportKind transport, Action<WebApplication> map) => (_transport, _map) = (transport, map);

    internal TestServer Front { get; private set; } = null!;

    internal IReadOnlyList<TestServer> BackEnds => _backEnds;

    /// <summary>Starts the servers, and a proxy that gives requests to them in turn.</summary>
    internal static async Task<TestProxy> StartAsync(TransportKind transport, Action<WebApplication> map, int backEnds = 1, HealthCheckConfig? health = null)
    {
        TestProxy proxy = new(transport, map);
        for (int i = 0; i < backEnds; i++) await proxy.StartBackEndAsync(port: 0);
        Dictionary<string, DestinationConfig> destinations = proxy._backEnds
            .ToDictionary(static server => $"{server.Address.Port}", static server => new DestinationConfig { Address = server.Address.ToString() });
        ClusterConfig cluster = new() { ClusterId = "all", Destinations = destinations, LoadBalancingPolicy = "RoundRobin", HealthCheck = health };
        RouteConfig route = new() { RouteId = "all", ClusterId = "all", Match = new RouteMatch { Path = "{**rest}" } };
        proxy.Front = await TestServer.StartAsync(
            transport,
            static app => app.MapReverseProxy(),
            kestrel: static options => options.Limits.MaxRequestBodySize = null,
            listen: static _ => { },
            configure: builder => builder.Services.AddReverseProxy().LoadFromMemory([route], [cluster]).ConfigureHttpClient((_, handler) =>
            {
                if (transport == TransportKind.Waterspout) handler.UseWaterspout();
            }));
        return proxy;
    }

    internal DestinationState Destination(int port)
    {
        Assert.True(Front.Services.GetRequiredService<IProxyStateLookup>().TryGetCluster("all", out ClusterState? cluster));
        return cluster.Destinations[$"{port}"];
    }

    internal async Task StartBackEndAsync(int port) => _backEnds.Add(await TestServer.StartAsync(
        _transport,
        _map,
        kestrel: options =>
        {
            options.Limits.MaxRequestBodySize = null;
            options.Listen(IPAddress.Loopback, port);
        }));

    internal async Task StopBackEndAsync(int index)
    {
        await _backEnds[index].DisposeAsync();
        _backEnds.RemoveAt(index);
    }

    public async ValueTask DisposeAsync()
    {
        await Front.DisposeAsync();
        foreach (TestServer server in _backEnds) await server.DisposeAsync();
    }
}
