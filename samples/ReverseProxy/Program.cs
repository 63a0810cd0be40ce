// A reverse proxy with Waterspout on both sides, in front of two servers with Waterspout: all in this process, to be tried at once.
//   dotnet run                                    and then: curl http://localhost:5000/     (the two answer in turn)
//   dotnet run -- --urls http://localhost:8080
//   curl -X DELETE http://localhost:5000/         stops the server that gets it; the proxy's checks take it out within a second
// /echo is a WebSocket.
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Waterspout;
using Yarp.ReverseProxy.Configuration;

WebApplication[] servers = [await StartServerAsync("one"), await StartServerAsync("two")];

WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseWaterspout();
builder.Services.AddReverseProxy()
    .LoadFromMemory(
        [new RouteConfig { RouteId = "all", ClusterId = "servers", Match = new RouteMatch { Path = "{**rest}" } }],
        [
            new ClusterConfig
            {
                ClusterId = "servers",
                LoadBalancingPolicy = "RoundRobin",
                HealthCheck = new HealthCheckConfig
                {
                    Active = new ActiveHealthCheckConfig { Enabled = true, Interval = TimeSpan.FromSeconds(1), Timeout = TimeSpan.FromSeconds(1), Path = "/" },
                },
                Destinations = servers.ToDictionary(static server => server.Urls.First(), static server => new DestinationConfig { Address = server.Urls.First() }),
            },
        ])
    .ConfigureHttpClient(static (_, handler) => handler.UseWaterspout());

WebApplication proxy = builder.Build();
proxy.MapReverseProxy();
await proxy.RunAsync();
foreach (WebApplication server in servers) await server.DisposeAsync();

static async Task<WebApplication> StartServerAsync(string name)
{
    WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
    builder.Logging.SetMinimumLevel(LogLevel.Warning);
    builder.WebHost.UseWaterspout().UseUrls("http://127.0.0.1:0");
    WebApplication server = builder.Build();
    server.UseWebSockets();
    server.MapGet("/", () => $"This is server {name}.\n");
    server.MapDelete("/", () =>
    {
        server.Lifetime.StopApplication();
        _ = server.StopAsync();
        return $"Server {name} stops.\n";
    });
    server.MapGet("/echo", EchoAsync);
    await server.StartAsync();
    return server;
}

static async Task EchoAsync(HttpContext context)
{
    using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
    byte[] buffer = new byte[16 * 1024];
    while (true)
    {
        WebSocketReceiveResult message = await socket.ReceiveAsync(buffer, context.RequestAborted);
        if (message.MessageType == WebSocketMessageType.Close) break;
        await socket.SendAsync(buffer.AsMemory(0, message.Count), message.MessageType, message.EndOfMessage, context.RequestAborted);
    }

    await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
}
