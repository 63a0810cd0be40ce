using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Connections.Security;
using Waterspout.Kestrel.Tests;

namespace Waterspout.Orleans.Tests;

/// <summary>Silos and a client in this process, connected by TCP.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    private readonly List<IHost> _silos = [];
    private IHost? _client;

    private TestCluster()
    {
    }

    internal RecordedLog Log { get; } = new();

    internal IReadOnlyList<IHost> Silos => _silos;

    internal IGrainFactory Client => _client!.Services.GetRequiredService<IClusterClient>();

    /// <summary>Starts silos, of which the first keeps the list of members, and a client.</summary>
    /// <param name="transports">One for each silo, and the last for the client.</param>
    /// <param name="certificate">Identifies silos and client; without one there is no TLS.</param>
    /// <param name="configure">The options of those that are on Waterspout.</param>
    internal static async Task<TestCluster> StartAsync(
        TransportKind[] transports, X509Certificate2? certificate = null, Action<OrleansTransportOptions>? configure = null)
    {
        TestCluster cluster = new();
        int[] ports = FreePorts(2 * (transports.Length - 1));
        IPEndPoint first = new(IPAddress.Loopback, ports[0]);
        int[] gateways = [.. ports.Where(static (_, i) => i % 2 == 1)];
        for (int i = 0; i < gateways.Length; i++)
        {
            (int siloPort, int gateway, TransportKind transport) = (ports[2 * i], gateways[i], transports[i]);
            await cluster.AddAsync(cluster._silos.Add, host => host.UseOrleans(silo =>
            {
                silo.UseLocalhostClustering(siloPort, gateway, first);
                silo.Configure<ClusterMembershipOptions>(static options => options.DefunctSiloCleanupPeriod = null);
                if (transport == TransportKind.Waterspout) silo.UseWaterspoutTransport(configure);
                if (certificate is not null) silo.UseTls(certificate, Trust);
            }));
        }

        await cluster.AddAsync(host => cluster._client = host, host => host.UseOrleansClient(client =>
        {
            client.UseLocalhostClustering(gateways);
            if (transports[^1] == TransportKind.Waterspout) client.UseWaterspoutTransport(configure);
            if (certificate is not null) client.UseTls(certificate, Trust);
        }));
        return cluster;
    }

    /// <summary>A cluster of two silos, all of it on one transport.</summary>
    internal static Task<TestCluster> StartAsync(TransportKind transport, X509Certificate2? certificate = null) =>
        StartAsync([transport, transport, transport], certificate);

    /// <summary>Calls grains until some on each silo have answered, by the client and by other grains.</summary>
    internal async Task<HashSet<string>> CallAllAsync(int size = 100)
    {
        HashSet<string> silos = [];
        byte[] data = new byte[size];
        for (int i = 0; i < 30; i++)
        {
            Random.Shared.NextBytes(data);
            IEchoGrain grain = Client.GetGrain<IEchoGrain>(i);
            foreach ((string silo, byte[] echo) in (ReadOnlySpan<(string, byte[])>)[await grain.EchoAsync(data), await grain.EchoByAsync(29 - i, data)])
            {
                silos.Add(silo);
                Assert.Equal(data, echo);
            }
        }

        return silos;
    }

    internal async Task StopClientAsync()
    {
        await _client!.StopAsync();
        _client.Dispose();
    }

    /// <summary>Stops everything in good order: the client, then the silos, the first one last.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (IHost host in ((IEnumerable<IHost?>)[_client, .. Enumerable.Reverse(_silos)]).OfType<IHost>())
        {
            await host.StopAsync();
            host.Dispose();
        }
    }

    private static void Trust(TlsOptions options)
    {
        options.RemoteCertificateMode = RemoteCertificateMode.RequireCertificate;
        options.RemoteCertificateValidation = static (certificate, _, _) => certificate.Subject == Waiting.Subject;
        options.OnAuthenticateAsClient = static (_, client) => client.TargetHost = "localhost";
    }

    private static int[] FreePorts(int count)
    {
        // All at once, so that they differ.
        Socket[] sockets = [.. Enumerable.Range(0, count).Select(static _ => new Socket(SocketType.Stream, ProtocolType.Tcp))];
        foreach (Socket socket in sockets) socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        int[] ports = [.. sockets.Select(static socket => ((IPEndPoint)socket.LocalEndPoint!).Port)];
        foreach (Socket socket in sockets) socket.Dispose();
        return ports;
    }

    private async Task AddAsync(Action<IHost> keep, Action<HostApplicationBuilder> configure)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddProvider(Log).SetMinimumLevel(LogLevel.Information);
        configure(builder);
        IHost host = builder.Build();
        keep(host);
        await host.StartAsync();
    }
}
