using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;

namespace Waterspout.Kestrel.Tests.Connections;

/// <summary>Where a server listens.</summary>
public sealed class ListeningTests
{
    private static void Map(WebApplication app) => app.MapGet("/", static context => context.SendAsync("<Hello>"));

    [Theory, OnEachTransport]
    public async Task A_Unix_socket(TransportKind transport)
    {
        string path = Path.Combine(Path.GetTempPath(), $"waterspout-{Guid.NewGuid():N}");
        await using (TestServer server = await TestServer.StartAsync(transport, Map, kestrel: options => options.ListenUnixSocket(path)))
        {
            using RawClient client = await RawClient.ConnectAsync(new UnixDomainSocketEndPoint(path));
            await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            Assert.EndsWith("<Hello>", await client.ReadToEndAsync().InTime(), StringComparison.Ordinal);
        }

        Assert.False(File.Exists(path));
    }

    [Theory, OnEachTransport]
    public async Task Localhost_is_both_addresses(TransportKind transport)
    {
        int port = FreePort();
        await using TestServer server = await TestServer.StartAsync(transport, Map, kestrel: options => options.ListenLocalhost(port));
        await CheckAsync(new IPEndPoint(IPAddress.Loopback, port));
        if (Socket.OSSupportsIPv6) await CheckAsync(new IPEndPoint(IPAddress.IPv6Loopback, port));
    }

    [Theory, OnEachTransport]
    public async Task Any_address_is_IPv4_and_IPv6(TransportKind transport)
    {
        int port = FreePort();
        await using TestServer server = await TestServer.StartAsync(transport, Map, kestrel: options => options.ListenAnyIP(port));
        await CheckAsync(new IPEndPoint(IPAddress.Loopback, port));
        if (Socket.OSSupportsIPv6) await CheckAsync(new IPEndPoint(IPAddress.IPv6Loopback, port));
    }

    [Theory, OnEachTransport]
    public async Task Named_endpoints_of_the_configuration(TransportKind transport)
    {
        await using TestServer server = await TestServer.StartAsync(transport, Map, kestrel: static _ => { }, configure: static builder =>
            builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["Kestrel:Endpoints:One:Url"] = "http://127.0.0.1:0",
                ["Kestrel:Endpoints:Two:Url"] = "http://127.0.0.1:0",
                ["Kestrel:Endpoints:Two:Protocols"] = "Http1",
            }));
        Assert.Equal(2, server.Addresses.Distinct().Count());
        foreach (Uri address in server.Addresses) await CheckAsync(new IPEndPoint(IPAddress.Loopback, address.Port));
    }

    [Theory, OnEachTransport]
    public async Task A_socket_that_came_by_its_descriptor(TransportKind transport)
    {
        Socket bound = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        bound.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        IPEndPoint address = (IPEndPoint)bound.LocalEndPoint!;
        ulong descriptor = (ulong)bound.SafeHandle.DangerousGetHandle();
        // From here on the server owns the descriptor.
        bound.SafeHandle.SetHandleAsInvalid();
        GC.SuppressFinalize(bound);
        await using TestServer server = await TestServer.StartAsync(transport, Map, kestrel: options => options.ListenHandle(descriptor));
        await CheckAsync(address);
    }

    [Theory, OnEachTransport]
    public async Task A_socket_that_listens_already(TransportKind transport)
    {
        Socket listening = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listening.Listen();
        IPEndPoint address = (IPEndPoint)listening.LocalEndPoint!;
        // A client that has come before the server.
        using RawClient early = await RawClient.ConnectAsync(address);
        ulong descriptor = (ulong)listening.SafeHandle.DangerousGetHandle();
        listening.SafeHandle.SetHandleAsInvalid();
        GC.SuppressFinalize(listening);
        await using TestServer server = await TestServer.StartAsync(transport, Map, kestrel: options => options.ListenHandle(descriptor));
        await early.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await early.ReadUntilAsync("<Hello>").InTime();
        await CheckAsync(address);
    }

    [Theory, OnEachTransport]
    public async Task An_endpoint_that_the_configuration_moves(TransportKind transport)
    {
        IConfigurationRoot configuration = null!;
        int before = FreePort(), after = FreePort();
        await using TestServer server = await TestServer.StartAsync(
            transport,
            Map,
            kestrel: static _ => { },
            configure: builder =>
            {
                builder.Configuration["Kestrel:Endpoints:One:Url"] = "http://127.0.0.1:0";
                builder.Configuration["Kestrel:Endpoints:Two:Url"] = $"http://127.0.0.1:{before}";
                configuration = builder.Configuration;
                builder.WebHost.ConfigureKestrel(kestrel => kestrel.Configure(builder.Configuration.GetSection("Kestrel"), reloadOnChange: true));
            });
        int stays = server.Addresses.Single(address => address.Port != before).Port;
        using RawClient client = await RawClient.ConnectAsync(new IPEndPoint(IPAddress.Loopback, stays));
        await CheckAsync(new IPEndPoint(IPAddress.Loopback, before));
        configuration["Kestrel:Endpoints:Two:Url"] = $"http://127.0.0.1:{after}";
        configuration.Reload();
        await UntilAsync(() => CheckAsync(new IPEndPoint(IPAddress.Loopback, after)));
        await UntilAsync(() => Assert.ThrowsAnyAsync<SocketException>(() => RawClient.ConnectAsync(new IPEndPoint(IPAddress.Loopback, before))));
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await client.ReadUntilAsync("<Hello>").InTime();
    }

    [Theory, OnEachTransport]
    public async Task An_address_in_use_is_AddressInUseException_and_named(TransportKind transport)
    {
        await using TestServer first = await TestServer.StartAsync(transport, Map);
        IOException error = await Assert.ThrowsAsync<IOException>(() =>
            TestServer.StartAsync(transport, Map, kestrel: options => options.Listen(first.EndPoint)));
        Assert.IsType<AddressInUseException>(error.InnerException);
        Assert.Contains(first.EndPoint.ToString(), error.Message, StringComparison.Ordinal);
    }

    [Theory, OnEachTransport]
    public async Task A_port_can_be_bound_again_at_once(TransportKind transport)
    {
        TestServer first = await TestServer.StartAsync(transport, Map);
        IPEndPoint address = first.EndPoint;
        using RawClient client = await first.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await client.ReadUntilAsync("<Hello>").InTime();
        await first.DisposeAsync();
        await using TestServer second = await TestServer.StartAsync(transport, Map, kestrel: options => options.Listen(address));
        await CheckAsync(address);
    }

    private static async Task CheckAsync(IPEndPoint address)
    {
        using RawClient client = await RawClient.ConnectAsync(address);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await client.ReadUntilAsync("<Hello>").InTime();
    }

    /// <summary>Tries until it succeeds. The server has no event for what it waits for.</summary>
    private static async Task UntilAsync(Func<Task> attempt)
    {
        using CancellationTokenSource limit = new(Waiting.Limit);
        while (true)
        {
            try
            {
                await attempt();
                return;
            }
            catch (Exception) when (!limit.IsCancellationRequested)
            {
                await Task.Delay(10, CancellationToken.None);
            }
        }
    }

    private static int FreePort()
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
