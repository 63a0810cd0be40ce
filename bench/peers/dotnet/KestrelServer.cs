using System.IO.Pipelines;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Waterspout.Bench.Peers;

/// <summary>Kestrel without HTTP: a connection delegate on its transport, with the settings that make it fastest.</summary>
internal sealed class KestrelServer(bool isInline) : IServer
{
    public bool Start(ServerOptions options)
    {
        Func<IDuplexPipe, Task>? handler = PipeProtocols.Get(options);
        if (handler is null || options.Tls is not null) return false;
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore();
        builder.Services.Configure<SocketTransportOptions>(socket =>
        {
            socket.NoDelay = true;
            socket.Backlog = 1024;
            // Trades speed for less memory of idle connections: on only if memory is measured.
            socket.WaitForDataBeforeAllocatingBuffer = options.SavesMemory;
            socket.UnsafePreferInlineScheduling = isInline;
        });
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxConcurrentConnections = null;
            kestrel.Listen(options.EndPoint, endPoint => endPoint.Run(connection => RunAsync(connection, handler)));
        });
        WebApplication application = builder.Build();
        application.StartAsync().GetAwaiter().GetResult();
        return true;
    }

    private static async Task RunAsync(ConnectionContext connection, Func<IDuplexPipe, Task> handler)
    {
        try
        {
            await handler(connection.Transport);
        }
        catch (ConnectionResetException)
        {
            // The peer has closed.
        }
    }
}
