using System.Net;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Runtime.Hosting;

namespace OrleansCluster;

/// <summary>The silos, and the client for them, on Waterspout.</summary>
internal static class Hosts
{
    internal const int Silos = 3;

    /// <summary>A silo. The first one keeps the list of members, so it is the one that must not be lost.</summary>
    /// <remarks>
    /// With a list that is kept elsewhere, by one of Orleans' providers for databases, each silo may be lost.
    /// </remarks>
    internal static IHost CreateSilo(int number, int port, string folder)
    {
        HostApplicationBuilder builder = CreateBuilder();
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering(port + number, GatewayOf(number, port), new IPEndPoint(IPAddress.Loopback, port + 1));
            silo.UseWaterspoutTransport();
            silo.Configure<SiloOptions>(options => options.SiloName = $"silo {number}");
            silo.Configure<SiloMessagingOptions>(static options => options.ResponseTimeout = TimeSpan.FromSeconds(5));
            // A lost silo is noticed within seconds. The defaults, 5 seconds and 3, are for networks that may be slow.
            silo.Configure<ClusterMembershipOptions>(static options =>
            {
                options.ProbeTimeout = TimeSpan.FromSeconds(1);
                options.NumMissedProbesLimit = 2;
            });
            silo.Services.AddGrainStorage(FileStorage.Name, (_, _) => new FileStorage(folder));
        });
        return builder.Build();
    }

    internal static IHost CreateClient(int port)
    {
        HostApplicationBuilder builder = CreateBuilder();
        builder.UseOrleansClient(client =>
        {
            client.UseLocalhostClustering([.. Enumerable.Range(1, Silos).Select(number => GatewayOf(number, port))]);
            client.UseWaterspoutTransport();
            client.Configure<ClientMessagingOptions>(static options => options.ResponseTimeout = TimeSpan.FromSeconds(5));
        });
        return builder.Build();
    }

    private static int GatewayOf(int number, int port) => port + Silos + number;

    private static HostApplicationBuilder CreateBuilder()
    {
        HostApplicationBuilder builder = Host.CreateApplicationBuilder();
        // A lost silo is worth a hundred lines in the log of each other one.
        builder.Logging.SetMinimumLevel(LogLevel.None);
        return builder;
    }
}
