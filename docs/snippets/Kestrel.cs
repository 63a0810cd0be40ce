using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Waterspout.Kestrel;

namespace Snippets;

/// <summary>Compiled with the tests of Waterspout.Kestrel.</summary>
internal static class Kestrel
{
    internal static void Minimal(string[] args)
    {
        WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
        builder.WebHost.UseWaterspout();

        WebApplication app = builder.Build();
        app.MapGet("/", () => "Hello");
        app.Run();
    }

    internal static void Options(WebApplicationBuilder builder)
    {
        builder.WebHost.UseWaterspout(options =>
        {
            options.LoopCount = 4;                            // for all addresses; one per core by default
            options.MaxWriteBufferSize = 256 * 1024;          // what may wait for a slow client
            options.Scheduling = SchedulingMode.ThreadPool;   // always one work item for each request
        });
    }

    internal static void Https(WebApplicationBuilder builder, X509Certificate2 certificate)
    {
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenAnyIP(5001, listen =>
            listen.UseWaterspoutHttps(https => https.ServerCertificate = certificate)));
    }

    internal static async Task ConnectAsync()
    {
        WaterspoutConnectionFactory factory = new();
        await using ConnectionContext connection = await factory.ConnectAsync(new DnsEndPoint("example.com", 80));
        await connection.Transport.Output.WriteAsync("GET / HTTP/1.0\r\n\r\n"u8.ToArray());
    }

    internal static void Services(IServiceCollection services)
    {
        services.AddWaterspoutTransport();
    }
}
