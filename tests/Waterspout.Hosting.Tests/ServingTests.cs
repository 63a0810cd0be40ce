using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Waterspout.Hosting.Tests;

public sealed class ServingTests
{
    [Fact]
    public async Task A_registered_server_serves_as_long_as_the_host_runs()
    {
        await using TestHost host = await TestHost.StartAsync<EchoHandler>();
        EndPoint address = host.Server.EndPoints[0];
        await using (IOStream client = await host.ConnectAsync())
        {
            await client.WriteLineAsync("hello");
            Assert.Equal("hello", await client.ReadLineAsync());
            Assert.Equal(1, host.Server.ConnectionCount);
        }

        await host.StopAsync();
        using Socket late = new(SocketType.Stream, ProtocolType.Tcp);
        SocketException error = Assert.ThrowsAny<SocketException>(() => late.Connect(address));
        Assert.Equal(SocketError.ConnectionRefused, error.SocketErrorCode);
    }

    [Fact]
    public async Task Each_connection_has_services_of_its_own_which_end_on_its_loop()
    {
        SessionLog log = new();
        await using TestHost host = await TestHost.StartAsync<SessionHandler>(services => services.AddSingleton(log).AddScoped<Session>());
        await using IOStream first = await host.ConnectAsync();
        Assert.Equal("1", await first.ReadLineAsync());
        await using IOStream second = await host.ConnectAsync();
        Assert.Equal("2", await second.ReadLineAsync());
        Assert.False(log.FirstEnd.IsCompleted);

        await second.CloseAsync();
        (int number, IOLoop loop) = await log.FirstEnd.WaitAsync(TestHost.Limit);
        Assert.Equal(2, number);
        Assert.Contains(loop, host.Services.GetRequiredService<IOLoopGroup>());
    }

    [Fact]
    public async Task What_a_handler_throws_is_in_the_log_of_the_application_and_ends_only_its_connection()
    {
        await using TestHost host = await TestHost.StartAsync<FailingHandler>();
        for (int i = 0; i < 2; i++)
        {
            await using IOStream client = await host.ConnectAsync();
            await Assert.ThrowsAsync<StreamClosedException>(async () => await client.ReadBytesAsync(1));
        }

        Assert.Equal(2, host.Log.Lines.Count(line => line.Level == LogLevel.Error && line.Text.StartsWith("Waterspout:") && line.Text.Contains("It fails on purpose.")));
    }

    [Fact]
    public async Task Handlers_are_notified_of_the_stop_and_may_say_goodbye()
    {
        await using TestHost host = await TestHost.StartAsync<EchoHandler>();
        await using IOStream client = await host.ConnectAsync();
        await client.WriteLineAsync("hello");
        await client.ReadLineAsync();
        Task stopped = host.StopAsync();
        Assert.Equal("goodbye", await client.ReadLineAsync());
        Assert.Null(await client.ReadLineAsync());
        await stopped;
    }

    [Fact]
    public async Task A_handler_that_does_not_end_is_closed_when_the_drain_is_over()
    {
        await using TestHost host = await TestHost.StartAsync<StubbornHandler>(configuration: ("Waterspout:Servers:lines:Drain", "00:00:00.010"));
        await using IOStream client = await host.ConnectAsync();
        Assert.Equal("hello", await client.ReadLineAsync());
        await host.StopAsync();
        Assert.Equal(0, host.Server.ConnectionCount);
    }

    [Fact]
    public async Task Without_a_drain_of_its_own_a_server_waits_as_long_as_the_host_does()
    {
        await using TestHost host = await TestHost.StartAsync<StubbornHandler>();
        await using IOStream client = await host.ConnectAsync();
        Assert.Equal("hello", await client.ReadLineAsync());
        using CancellationTokenSource patience = new();
        Task stopped = host.StopAsync(patience.Token);
        await host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.WhenCancelled();
        Assert.False(stopped.IsCompleted);

        await patience.CancelAsync();
        await Record.ExceptionAsync(() => stopped); // the host reports that its time was up
        Assert.Equal(0, host.Server.ConnectionCount);
    }

    [Fact]
    public async Task A_host_that_does_not_start_leaves_no_port_open()
    {
        TestHost host = TestHost.Create(static services => services.AddTcpServer<EchoHandler>(TestHost.Name, static options => options.Listen = ["unix:@waterspout-hosting-tests", "nowhere"]));
        await Assert.ThrowsAsync<InvalidOperationException>(host.StartAsync);
        await host.DisposeAsync();
        using Socket late = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        Assert.ThrowsAny<SocketException>(() => late.Connect(new UnixDomainSocketEndPoint("\0waterspout-hosting-tests")));
    }
}
