using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Hosting;
using Orleans.Connections.Security;

namespace Snippets;

/// <summary>Compiled with the tests of Waterspout.Orleans.</summary>
internal static class Orleans
{
    internal static void Silo(HostApplicationBuilder builder)
    {
        builder.UseOrleans(silo => silo.UseLocalhostClustering().UseWaterspoutTransport());
    }

    internal static void Client(HostApplicationBuilder builder)
    {
        builder.UseOrleansClient(client => client.UseLocalhostClustering().UseWaterspoutTransport());
    }

    internal static void Options(ISiloBuilder silo)
    {
        silo.UseWaterspoutTransport(options =>
        {
            options.LoopCount = 2; // threads that wait for connections
            options.Stream = options.Stream with { UserTimeout = TimeSpan.FromSeconds(20) };
        });
    }

    internal static void Tls(ISiloBuilder silo, X509Certificate2 certificate)
    {
        silo.UseWaterspoutTransport().UseTls(certificate, static tls => tls.RemoteCertificateMode = RemoteCertificateMode.RequireCertificate);
    }
}
