using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Waterspout.Hosting.Tests;

public sealed class HealthTests
{
    [Fact]
    public async Task A_server_is_healthy_from_its_start_to_its_stop()
    {
        await using TestHost host = TestHost.Create(static services => services.AddTcpServer<EchoHandler>(TestHost.Name, static options => options.Listen = [TestHost.AnyPort]));
        Assert.Equal(HealthStatus.Unhealthy, (await host.CheckAsync()).Status);
        await host.StartAsync();
        Assert.Equal(HealthStatus.Healthy, (await host.CheckAsync()).Status);
        await host.StopAsync();
        Assert.Equal(HealthStatus.Unhealthy, (await host.CheckAsync()).Status);
    }

    [Fact]
    public async Task A_server_whose_loop_has_ended_is_not_healthy()
    {
        await using TestHost host = await TestHost.StartAsync<EchoHandler>();
        IOLoop loop = host.Services.GetRequiredService<IOLoopGroup>()[0];
        loop.Dispose();
        HealthReportEntry entry = await host.CheckAsync();
        Assert.Equal(HealthStatus.Unhealthy, entry.Status);
        Assert.Contains(loop.Name, entry.Description);
    }
}
