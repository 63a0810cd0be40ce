using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;
using Waterspout.Testing;
using Waterspout.Tests.Tls;

namespace Waterspout.Tests;

/// <summary>A server behind a proxy that says who the client is.</summary>
[OnEachPoller]
public sealed class ProxyServerTests : LoopTest
{
    private const string Client = "192.0.2.1:56324";

    private static readonly byte[] s_text = Encoding.ASCII.GetBytes("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n");
    private static readonly byte[] s_binary = ProxyHeaderTests.Binary(0x21, 0x11, [.. ProxyHeaderTests.IPv4(), 0xE0, 0, 2, 5, 6]);

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(1, true)]
    [InlineData(2, true)]
    public void The_handler_and_the_log_have_the_clients_address(int version, bool isTls) => Run(async () =>
    {
        await using TcpServer server = new(DescribeAsync, Options(isTls));
        await using IOStream proxy = await ConnectAsync(server);
        EndPoint own = proxy.LocalEndPoint!;
        await proxy.WriteAsync(version == 1 ? s_text : s_binary);
        await using IOStream client = isTls ? await proxy.StartTlsAsync(TestCertificates.ClientOptions()) : proxy;
        await client.WriteLineAsync("who");
        Assert.Equal($"{Client} by {own} to 198.51.100.2:443, version {version}, {(version == 1 ? 0 : 5)} bytes", await client.ReadLineAsync());
        await client.CloseAsync();
        while (server.ConnectionCount > 0) await Turn();
        string kind = isTls ? "SslIOStream" : "IOStream";
        Assert.Single(Log.Lines, line => line.Message.EndsWith($" {Client} accepted."));
        Assert.Single(Log.Lines, line => line.Message.StartsWith($"{kind} ") && line.Message.Contains($" {Client} closed: "));
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Header_and_data_may_arrive_in_any_pieces(bool isTls) => Run(async () =>
    {
        await using TcpServer server = new(DescribeAsync, Options(isTls));
        foreach (byte[] header in (byte[][])[s_text, s_binary])
        {
            await using IOStream proxy = await ConnectAsync(server);
            foreach (byte piece in header)
            {
                await proxy.WriteAsync([piece]);
                await proxy.FlushAsync();
                await Turn();
            }

            await using IOStream client = isTls ? await proxy.StartTlsAsync(TestCertificates.ClientOptions()) : proxy;
            await client.WriteLineAsync("who");
            Assert.StartsWith(Client, await client.ReadLineAsync());
        }
    });

    [Fact]
    public void Data_that_arrives_with_the_header_is_the_handlers() => Run(async () =>
    {
        await using TcpServer server = new(static async stream => await stream.WriteLineAsync((await stream.ReadLineAsync())!), Options());
        await using IOStream proxy = await ConnectAsync(server);
        await proxy.WriteAsync([.. s_text, .. "PROXY is a word\n"u8]);
        Assert.Equal("PROXY is a word", await proxy.ReadLineAsync());
    });

    [Fact]
    public void A_proxy_that_says_no_address_leaves_its_own() => Run(async () =>
    {
        await using TcpServer server = new(DescribeAsync, Options());
        foreach (byte[] header in (byte[][])[[.. "PROXY UNKNOWN\r\n"u8], ProxyHeaderTests.Binary(0x20, 0, [])])
        {
            await using IOStream proxy = await ConnectAsync(server);
            await proxy.WriteAsync([.. header, .. "who\n"u8]);
            Assert.StartsWith($"{proxy.LocalEndPoint} by {proxy.LocalEndPoint} to , ", await proxy.ReadLineAsync());
        }
    });

    [Fact]
    public void Without_the_option_there_is_no_header() => Run(async () =>
    {
        ProxyHeader? header = new();
        await using TcpServer server = new(async stream =>
        {
            header = stream.ProxyHeader;
            await stream.WriteLineAsync((await stream.ReadLineAsync())!);
        });
        await using IOStream client = await ConnectAsync(server);
        await client.WriteLineAsync("PROXY UNKNOWN");
        Assert.Equal("PROXY UNKNOWN", await client.ReadLineAsync());
        Assert.Null(header);
    });

    [Theory]
    [InlineData("127.0.0.1/32", true)]
    [InlineData("127.0.0.0/8", true)]
    [InlineData("::ffff:127.0.0.1/128", false)] // addresses are compared as IPv4
    [InlineData("127.0.0.2/32", false)]
    [InlineData("10.0.0.0/8", false)]
    [InlineData(null, false)]
    public void Only_trusted_addresses_are_served_also_by_a_listener_of_both_families(string? network, bool isTrusted) => Run(async () =>
    {
        TcpServerOptions options = new() { Proxy = new ProxyProtocolOptions { Trusted = network is null ? [] : [IPNetwork.Parse(network)] } };
        await using TcpServer server = new(DescribeAsync, options);
        await using IOStream proxy = await IOStream.ConnectAsync("127.0.0.1", ((IPEndPoint)server.Listen(0)).Port);
        Assert.Equal(isTrusted, await IsServedAsync(proxy, [.. s_text, .. "who\n"u8]));
        if (!isTrusted) await AssertOneLineAsync(server, "The address is not that of a trusted proxy.");
    });

    [Fact]
    public void Unix_sockets_are_trusted() => Run(async () =>
    {
        await using TcpServer server = new(DescribeAsync, new TcpServerOptions { Proxy = new ProxyProtocolOptions() });
        UnixDomainSocketEndPoint path = TestListener.NewPath();
        server.Listen(path);
        await using IOStream proxy = new(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
        await proxy.ConnectAsync(path);
        await proxy.WriteAsync([.. s_text, .. "who\n"u8]);
        Assert.StartsWith(Client, await proxy.ReadLineAsync());
    });

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n", "does not begin with a PROXY header")]
    [InlineData("PROXY TCP4 1 2 3 4\r\n", "is malformed")]
    [InlineData("\r\n\r\n\0\r\nQUIT\n\x21\x11\x7F\x7F", "is too long")]
    public void A_bad_header_closes_its_connection_with_one_line_of_information(string header, string message) => Run(async () =>
    {
        bool isHandled = false;
        await using TcpServer server = new(async _ => isHandled = true, Options());
        await using IOStream proxy = await ConnectAsync(server);
        Assert.False(await IsServedAsync(proxy, Encoding.Latin1.GetBytes(header)));
        await AssertOneLineAsync(server, message);
        Assert.False(isHandled);
        await using IOStream good = await IOStream.ConnectAsync("127.0.0.1", ((IPEndPoint)proxy.RemoteEndPoint!).Port);
        Assert.True(await IsServedAsync(good, s_text) || isHandled);
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_connection_that_ends_within_the_header_is_closed(bool isBinary) => Run(async () =>
    {
        await using TcpServer server = new(static _ => throw new InvalidOperationException("Not to be called."), Options());
        byte[] header = isBinary ? s_binary : s_text;
        int port = ((IPEndPoint)server.Listen(0, "127.0.0.1")).Port;
        for (int length = 0; length < header.Length; length++)
        {
            await using IOStream proxy = await IOStream.ConnectAsync("127.0.0.1", port);
            await proxy.WriteAsync(header.AsMemory(0, length));
            await proxy.CompleteWritesAsync();
            Assert.Empty(await proxy.ReadUntilCloseAsync());
        }

        while (server.ConnectionCount > 0) await Turn();
        // Of the first one, which only looked whether the port is open, there is none.
        Assert.Contains(Log.Lines, static line => line.Level == LogLevel.Information && line.Message.Contains("ended within the PROXY header"));
        Assert.DoesNotContain(Log.Lines, static line => line.Level > LogLevel.Information);
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_header_that_does_not_come_in_time_closes_its_connection(bool isReadTimeout)
    {
        ManualTimeProvider time = new();
        Run(async () =>
        {
            TcpServerOptions options = Options();
            if (isReadTimeout) options.Stream = new IOStreamOptions { ReadTimeout = TimeSpan.FromSeconds(3) };
            await using TcpServer server = new(DescribeAsync, options);
            await using IOStream proxy = await ConnectAsync(server);
            await proxy.WriteAsync(s_text.AsMemory(0, 10));
            while (server.ConnectionCount == 0) await Turn();
            await Turns(3);
            time.Advance(TimeSpan.FromSeconds(isReadTimeout ? 4 : 6));
            Assert.Empty(await ReadToEndAsync(proxy));
            await AssertOneLineAsync(server, "The PROXY header took longer than ");
        }, options => options.TimeProvider = time);
    }

    [Fact]
    public void A_stop_closes_connections_that_wait_for_their_header() => Run(async () =>
    {
        await using TcpServer server = new(DescribeAsync, Options());
        await using IOStream proxy = await ConnectAsync(server);
        while (server.ConnectionCount == 0) await Turn();
        await server.StopAsync(TimeSpan.Zero);
        Assert.Equal(0, server.ConnectionCount);
        Assert.Empty(await proxy.ReadUntilCloseAsync());
    });

    [Fact]
    public void A_failed_handshake_behind_a_header_is_logged_with_the_clients_address() => Run(async () =>
    {
        await using TcpServer server = new(DescribeAsync, Options(isTls: true));
        await using IOStream proxy = await ConnectAsync(server);
        await proxy.WriteAsync([.. s_text, .. "not a handshake\n"u8]);
        await ReadToEndAsync(proxy);
        await AssertOneLineAsync(server, $" {Client} closed: Error. ");
    });

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        foreach (ProxyProtocolOptions bad in (ProxyProtocolOptions[])[new() { MaxHeaderSize = 106 }, new() { HeaderTimeout = TimeSpan.Zero }])
            Assert.Throws<ArgumentOutOfRangeException>(() => new TcpServer(DescribeAsync, new TcpServerOptions { Proxy = bad }));
        Assert.Throws<ArgumentNullException>(() => new TcpServer(DescribeAsync, new TcpServerOptions { Proxy = new() { Trusted = null! } }));
    }

    private static TcpServerOptions Options(bool isTls = false) => new()
    {
        Ssl = isTls ? TestCertificates.ServerOptions() : null,
        Proxy = new ProxyProtocolOptions { Trusted = [IPNetwork.Parse("127.0.0.0/8")] },
    };

    private static async Task<IOStream> ConnectAsync(TcpServer server) =>
        await IOStream.ConnectAsync("127.0.0.1", ((IPEndPoint)server.Listen(0, "127.0.0.1")).Port);

    private static async Task DescribeAsync(IOStream stream)
    {
        while (await stream.ReadLineAsync() is not null)
        {
            ProxyHeader header = stream.ProxyHeader!;
            await stream.WriteLineAsync($"{stream.RemoteEndPoint} by {header.ProxyEndPoint} to {header.Destination}, version {header.Version}, {header.Tlvs.Length} bytes");
        }
    }

    private static async Task<bool> IsServedAsync(IOStream proxy, byte[] header)
    {
        try
        {
            await proxy.WriteAsync(header);
            return await proxy.ReadLineAsync() is not null;
        }
        catch (StreamClosedException)
        {
            return false;
        }
    }

    // What the server has not read turns its close into a reset.
    private static async Task<byte[]> ReadToEndAsync(IOStream stream)
    {
        try
        {
            return await stream.ReadUntilCloseAsync();
        }
        catch (StreamClosedException)
        {
            return [];
        }
    }

    private async Task AssertOneLineAsync(TcpServer server, string message)
    {
        while (server.ConnectionCount > 0) await Turn();
        LogLine line = Assert.Single(Log.Lines, static line => line.Level > LogLevel.Debug && !line.Message.StartsWith("Listening"));
        Assert.Contains(message, line.Message);
        Assert.Equal(LogLevel.Information, line.Level);
    }
}
