using System.Net;
using Microsoft.AspNetCore.Builder;
using Waterspout.Kestrel.Tests;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Model;

namespace Waterspout.Proxy.Tests;

/// <summary>Which of the servers gets a request.</summary>
public sealed class BalancingTests
{
    private static readonly HealthCheckConfig s_health = new()
    {
        Active = new ActiveHealthCheckConfig { Enabled = true, Interval = TimeSpan.FromMilliseconds(50), Timeout = TimeSpan.FromSeconds(10), Path = "/" },
    };

    [Theory, OnEachTransport]
    public async Task Servers_get_requests_in_turn(TransportKind transport)
    {
        await using TestProxy proxy = await TestProxy.StartAsync(transport, TellPort, backEnds: 2);
        using HttpClient client = proxy.Front.CreateClient();
        Dictionary<string, int> counts = await CountAsync(client);
        Assert.Equal([10, 10], counts.Values);
    }

    [Theory, OnEachTransport]
    public async Task A_server_that_has_stopped_gets_no_more_requests_and_does_again_when_it_is_back(TransportKind transport)
    {
        await using TestProxy proxy = await TestProxy.StartAsync(transport, TellPort, backEnds: 2, s_health);
        using HttpClient client = proxy.Front.CreateClient();
        int port = proxy.BackEnds[0].Address.Port;
        await BecomesAsync(proxy, port, DestinationHealth.Healthy);

        await proxy.StopBackEndAsync(0);
        await BecomesAsync(proxy, port, DestinationHealth.Unhealthy);
        Assert.Equal([20], (await CountAsync(client)).Values);

        await proxy.StartBackEndAsync(port);
        await BecomesAsync(proxy, port, DestinationHealth.Healthy);
        Assert.Equal(2, (await CountAsync(client)).Count);
    }

    [Theory, OnEachTransport]
    public async Task Without_any_server_the_client_gets_an_answer_that_says_so(TransportKind transport)
    {
        await using TestProxy proxy = await TestProxy.StartAsync(transport, TellPort);
        await proxy.StopBackEndAsync(0);
        using HttpClient client = proxy.Front.CreateClient();
        using HttpResponseMessage answer = await client.GetAsync("/");
        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
    }

    private static void TellPort(WebApplication app) =>
        app.Run(static context => context.SendAsync($"{context.Connection.LocalPort}"));

    private static async Task<Dictionary<string, int>> CountAsync(HttpClient client)
    {
        Dictionary<string, int> counts = [];
        for (int i = 0; i < 20; i++)
        {
            string server = await client.GetStringAsync("/");
            counts[server] = counts.GetValueOrDefault(server) + 1;
        }

        return counts;
    }

    /// <summary>The proxy finds it out by its own checks, and has no event for it.</summary>
    private static Task BecomesAsync(TestProxy proxy, int port, DestinationHealth health) =>
        Waiting.BecomesTrueAsync(() => proxy.Destination(port).Health.Active == health);
}
