using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Waterspout;
using Waterspout.Hosting;

namespace Snippets;

internal static class Hosting
{
    internal static void Options(IHostApplicationBuilder builder)
    {
        builder.Services.AddTcpServer<EchoHandler>("echo", options =>
        {
            options.Listen = ["*:8888", "unix:/run/example/echo.sock"];
            options.Drain = TimeSpan.FromSeconds(5);
            options.Server.MaxConnections = 10_000;
            options.Server.Stream = new() { ReadTimeout = TimeSpan.FromMinutes(5), WriteTimeout = TimeSpan.FromSeconds(30) };
        });
    }

    internal static void Loops(IHostApplicationBuilder builder)
    {
        builder.Services.AddWaterspout(options => options.LoopCount = 2);
    }

    internal static void EndPoints(IServiceProvider services)
    {
        TcpService server = services.GetRequiredKeyedService<TcpService>("echo");
        Console.WriteLine($"{server.EndPoints[0]}: {server.ConnectionCount} connections");
    }
}

internal sealed class EchoHandler : IStreamHandler
{
    public Task HandleAsync(IOStream stream, CancellationToken stopping) => GettingStarted.EchoAsync(stream, stopping);
}

// One client for the application, on one of its loops.
internal sealed class Gateway(IOLoopGroup loops) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => loops.Next().InvokeAsync(async () =>
    {
        await using IOStream stream = await IOStream.ConnectAsync("gateway.example.com", 7000, cancellationToken: stoppingToken);
        while (await stream.ReadLineAsync(maxBytes: 4096, cancellationToken: stoppingToken) is { } line) Console.WriteLine(line);
    });
}
