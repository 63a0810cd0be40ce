using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Waterspout.Kestrel.Tests;

namespace Waterspout.Hosting.Tests;

/// <summary>A host without any source of configuration but the test's own.</summary>
internal sealed class TestHost : IAsyncDisposable
{
    internal const string Name = "lines";
    internal const string AnyPort = "127.0.0.1:0";

    /// <summary>Long enough for any machine: only a test that fails waits for it.</summary>
    internal static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly IHost _host;

    private TestHost(IHost host, RecordedLog log)
    {
        _host = host;
        Log = log;
    }

    internal RecordedLog Log { get; }

    internal IServiceProvider Services => _host.Services;

    internal TcpService Server => Services.GetRequiredKeyedService<TcpService>(Name);

    internal static TestHost Create(Action<IServiceCollection> register, params (string Key, string Value)[] configuration)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(settings: null);
        builder.Configuration.AddInMemoryCollection(configuration.Select(static each => KeyValuePair.Create(each.Key, (string?)each.Value)));
        RecordedLog log = new();
        builder.Logging.AddProvider(log).SetMinimumLevel(LogLevel.Information);
        register(builder.Services);
        return new TestHost(builder.Build(), log);
    }

    /// <summary>A host that runs, with one server on a free port.</summary>
    internal static async Task<TestHost> StartAsync<THandler>(Action<IServiceCollection>? register = null, params (string Key, string Value)[] configuration)
        where THandler : class, IStreamHandler
    {
        TestHost host = Create(
            services =>
            {
                register?.Invoke(services);
                services.AddTcpServer<THandler>(Name, static options => options.Listen = [AnyPort]);
            },
            configuration);
        await host.StartAsync();
        return host;
    }

    internal Task StartAsync() => _host.StartAsync().WaitAsync(Limit);

    internal Task StopAsync(CancellationToken cancellationToken = default) => _host.StopAsync(cancellationToken).WaitAsync(Limit, CancellationToken.None);

    internal async Task<IOStream> ConnectAsync()
    {
        IPEndPoint address = (IPEndPoint)Server.EndPoints[0];
        return await IOStream.ConnectAsync("127.0.0.1", address.Port);
    }

    internal async Task<HealthReportEntry> CheckAsync()
    {
        HealthReport report = await Services.GetRequiredService<HealthCheckService>().CheckHealthAsync().WaitAsync(Limit);
        return report.Entries[Name];
    }

    public async ValueTask DisposeAsync()
    {
        await ((IAsyncDisposable)_host).DisposeAsync();
    }
}
