using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Waterspout.Kestrel.Tests;

/// <summary>An application on one of the two transports, and a client for it.</summary>
internal sealed partial class TestServer : IAsyncDisposable
{
    private readonly WebApplication _application;

    private TestServer(WebApplication application, RecordedLog log)
    {
        _application = application;
        Log = log;
    }

    internal RecordedLog Log { get; }

    internal IServiceProvider Services => _application.Services;

    internal IEnumerable<Uri> Addresses =>
        _application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(static address => new Uri(address));

    internal Uri Address => Addresses.First();

    internal IPEndPoint EndPoint => new(IPAddress.Loopback, Address.Port);

    /// <summary>Starts an application on a free port of the loopback interface, unless <paramref name="kestrel"/> says otherwise.</summary>
    internal static async Task<TestServer> StartAsync(
        TransportKind transport,
        Action<WebApplication> map,
        Action<ListenOptions>? listen = null,
        Action<KestrelServerOptions>? kestrel = null,
        Action<WebApplicationBuilder>? configure = null,
        Action<WaterspoutTransportOptions>? transportOptions = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        RecordedLog log = new();
        builder.Logging.ClearProviders().AddProvider(log).SetMinimumLevel(LogLevel.Debug);
        builder.WebHost.UseKestrelHttpsConfiguration().UseShutdownTimeout(TimeSpan.FromSeconds(10));
        builder.WebHost.ConfigureKestrel(options =>
        {
            if (kestrel is null || listen is not null) options.Listen(IPAddress.Loopback, 0, listen ?? (static _ => { }));
            kestrel?.Invoke(options);
        });
        if (transport == TransportKind.Waterspout) builder.WebHost.UseWaterspout(transportOptions);
        configure?.Invoke(builder);
        WebApplication application = builder.Build();
        map(application);
        await application.StartAsync();
        return new TestServer(application, log);
    }

    /// <summary>Starts a server whose connections are run by a handler, without HTTP.</summary>
    internal static Task<TestServer> StartRawAsync(
        TransportKind transport, ConnectionDelegate handler, Action<WaterspoutTransportOptions>? transportOptions = null) =>
        StartAsync(transport, static _ => { }, listen => listen.Use(_ => handler), transportOptions: transportOptions);

    internal HttpClient CreateClient(Version? version = null) => new(new SocketsHttpHandler
    {
        SslOptions = { RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate!.Subject == Waiting.Subject },
    })
    {
        BaseAddress = Address,
        DefaultRequestVersion = version ?? HttpVersion.Version11,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        Timeout = TimeSpan.FromSeconds(30),
    };

    internal Task<RawClient> ConnectAsync() => RawClient.ConnectAsync(EndPoint);

    internal Task StopAsync(CancellationToken cancellationToken = default) => _application.StopAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync();
        _certificate?.Dispose();
    }
}
