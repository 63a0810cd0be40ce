using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Waterspout.Hosting.Tests;

public sealed class ConfigurationTests
{
    [Fact]
    public async Task The_loops_are_as_the_configuration_says()
    {
        await using TestHost host = TestHost.Create(static services => services.AddWaterspout(), ("Waterspout:LoopCount", "3"), ("Waterspout:Loop:Name", "io"));
        Assert.Equal(["io 0", "io 1", "io 2"], host.Services.GetRequiredService<IOLoopGroup>().Select(static loop => loop.Name));
    }

    [Fact]
    public async Task The_configuration_takes_precedence_over_the_code()
    {
        await using TestHost host = TestHost.Create(static services => services.AddWaterspout(static options => options.LoopCount = 5), ("Waterspout:LoopCount", "2"));
        Assert.Equal(2, host.Services.GetRequiredService<IOLoopGroup>().Count);
    }

    [Fact]
    public async Task There_is_one_group_of_loops_however_often_it_is_registered()
    {
        await using TestHost host = TestHost.Create(static services => services.AddWaterspout(static options => options.LoopCount = 1).AddWaterspout());
        Assert.Single(host.Services.GetServices<IOLoopGroup>().Single());
    }

    [Fact]
    public async Task A_server_is_as_the_configuration_says()
    {
        await using TestHost host = TestHost.Create(
            static services => services.AddTcpServer<EchoHandler>(TestHost.Name, static options => options.Listen = ["not.an.address:1"]),
            ("Waterspout:Servers:lines:Listen:0", "127.0.0.1:0"),
            ("Waterspout:Servers:lines:Listen:1", "unix:@waterspout-configuration-tests"),
            ("Waterspout:Servers:lines:Drain", "00:00:07"),
            ("Waterspout:Servers:lines:Server:MaxConnections", "12"),
            ("Waterspout:Servers:lines:Server:ReusePort", "false"),
            ("Waterspout:Servers:lines:Server:Stream:ReadTimeout", "00:01:00"));
        await host.StartAsync();
        TcpServiceOptions options = host.Services.GetRequiredService<IOptionsMonitor<TcpServiceOptions>>().Get(TestHost.Name);
        Assert.Equal(2, host.Server.EndPoints.Count);
        Assert.Equal(TimeSpan.FromSeconds(7), options.Drain);
        Assert.Equal(12, options.Server.MaxConnections);
        Assert.Equal(TimeSpan.FromMinutes(1), options.Server.Stream!.ReadTimeout);
        Assert.Equal(new IOStreamOptions().MaxBufferSize, options.Server.Stream.MaxBufferSize);
    }

    [Theory]
    [InlineData("nowhere")]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("[::1]")]
    [InlineData("host:65536")]
    [InlineData(":80")]
    public async Task An_address_that_makes_no_sense_is_named(string address)
    {
        await using TestHost host = TestHost.Create(services => services.AddTcpServer<EchoHandler>(TestHost.Name, options => options.Listen = [address]));
        InvalidOperationException error = await Assert.ThrowsAsync<InvalidOperationException>(host.StartAsync);
        Assert.Contains($"'{address}'", error.Message);
    }

    [Theory]
    [InlineData("127.0.0.1:0")]
    [InlineData("localhost:0")]
    [InlineData("*:0")]
    public async Task Addresses_may_be_written_in_several_ways(string address)
    {
        await using TestHost host = TestHost.Create(services => services.AddTcpServer<EchoHandler>(TestHost.Name, options => options.Listen = [address]));
        await host.StartAsync();
        await using IOStream client = await host.ConnectAsync();
        await client.WriteLineAsync("hello");
        Assert.Equal("hello", await client.ReadLineAsync());
    }

    [Fact]
    public async Task A_server_without_an_address_says_where_to_set_it()
    {
        await using TestHost host = TestHost.Create(static services => services.AddTcpServer<EchoHandler>(TestHost.Name));
        InvalidOperationException error = await Assert.ThrowsAsync<InvalidOperationException>(host.StartAsync);
        Assert.Contains("Waterspout:Servers:lines:Listen", error.Message);
    }

    [Fact]
    public async Task A_value_of_the_wrong_kind_is_named()
    {
        await using TestHost host = TestHost.Create(static services => services.AddTcpServer<EchoHandler>(TestHost.Name), ("Waterspout:Servers:lines:Server:Backlog", "many"));
        InvalidOperationException error = await Assert.ThrowsAsync<InvalidOperationException>(host.StartAsync);
        Assert.Contains("Waterspout:Servers:lines:Server:Backlog", error.Message);
    }

    [Theory]
    [InlineData("Waterspout:LoopCount", "0")]
    [InlineData("Waterspout:LoopCount", "1025")]
    [InlineData("Waterspout:Loop:StallThreshold", "-00:00:01")]
    [InlineData("Waterspout:Servers:lines:Drain", "-00:00:01")]
    [InlineData("Waterspout:Servers:lines:Server:Backlog", "0")]
    [InlineData("Waterspout:Servers:lines:Server:Stream:MaxBufferSize", "-1")]
    public async Task A_value_out_of_range_is_named(string key, string value)
    {
        await using TestHost host = TestHost.Create(
            static services => services.AddTcpServer<EchoHandler>(TestHost.Name, static options => options.Listen = [TestHost.AnyPort]), (key, value));
        ArgumentOutOfRangeException error = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(host.StartAsync);
        Assert.Contains(key[(key.LastIndexOf(':') + 1)..], error.Message);
    }

    [Fact]
    public void What_the_options_consist_of_is_never_null()
    {
        Assert.Contains("Loop ", Assert.Throws<ArgumentNullException>(static () => new WaterspoutOptions { Loop = null! }).Message);
        Assert.Contains("Listen ", Assert.Throws<ArgumentNullException>(static () => new TcpServiceOptions { Listen = null! }).Message);
        Assert.Contains("Server ", Assert.Throws<ArgumentNullException>(static () => new TcpServiceOptions { Server = null! }).Message);
    }

    [Fact]
    public void Two_servers_need_two_names()
    {
        ServiceCollection services = new();
        services.AddTcpServer<EchoHandler>("one").AddTcpServer<EchoHandler>("two");
        Assert.Equal("name", Assert.Throws<ArgumentException>(() => services.AddTcpServer<EchoHandler>("one")).ParamName);
    }
}
