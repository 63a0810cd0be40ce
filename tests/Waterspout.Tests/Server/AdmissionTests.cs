using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Waterspout.Tests.Tls;

namespace Waterspout.Tests;

/// <summary>A server's own check of each connection, before anything is spent on it.</summary>
[OnEachPoller]
public sealed class AdmissionTests : LoopTest
{
    [Fact]
    public void The_check_gets_both_addresses_and_the_number_of_other_connections() => Run(async () =>
    {
        ConcurrentQueue<ConnectionRequest> requests = [];
        await using TcpServer server = new(ReadToEndAsync, new TcpServerOptions
        {
            OnConnection = request =>
            {
                requests.Enqueue(request);
                return true;
            },
        });
        IPEndPoint address = Listen(server, IPAddress.Any);
        for (int i = 0; i < 2; i++)
        {
            IOStream client = await IOStream.ConnectAsync("127.0.0.1", address.Port);
            while (requests.Count == i) await Turn();
            ConnectionRequest expected = new(client.LocalEndPoint, new IPEndPoint(IPAddress.Loopback, address.Port), i);
            Assert.Equal(expected, requests.ElementAt(i));
        }
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_refused_connection_is_reset_and_has_no_stream(bool isTls) => Run(async () =>
    {
        bool isHandled = false;
        await using TcpServer server = new(async _ => isHandled = true, new TcpServerOptions
        {
            Ssl = isTls ? TestCertificates.ServerOptions() : null,
            OnConnection = static _ => false,
            OnConnectionEnd = static _ => Assert.Fail("It was not admitted."),
        });
        await AssertResetAsync(Listen(server));
        Assert.Equal(0, server.ConnectionCount);
        Assert.False(isHandled);
        Assert.Equal(1, Loop.Counters.Refused);
        Assert.Equal(0, Loop.Counters.Accepted);
        Assert.Single(Log.Lines, static line => line.Level == LogLevel.Debug && line.Message.EndsWith(" was refused."));
    });

    [Fact]
    public void A_connection_to_a_Unix_socket_can_be_refused() => Run(async () =>
    {
        await using TcpServer server = new(ReadToEndAsync, new TcpServerOptions { OnConnection = static _ => false });
        UnixDomainSocketEndPoint path = TestListener.NewPath();
        server.Listen(path);
        await using IOStream client = new(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
        await client.ConnectAsync(path);
        Assert.Empty(await client.ReadUntilCloseAsync());
    });

    [Fact]
    public void A_check_that_fails_refuses_its_connection_and_no_other() => Run(async () =>
    {
        ExpectLog("OnConnection of the server failed for the connection from 127.0.0.1:");
        int count = 0;
        await using TcpServer server = new(ReadToEndAsync, new TcpServerOptions
        {
            OnConnection = _ => ++count > 1 ? true : throw new InvalidDataException("on purpose"),
        });
        IPEndPoint address = Listen(server);
        await AssertResetAsync(address);
        await AssertServesAsync(address);
        Assert.Equal(1, Loop.Counters.Refused);
    });

    [Fact]
    public void Each_admitted_connection_has_its_end_reported_before_a_stop_completes() => Run(async () =>
    {
        ConcurrentQueue<ConnectionRequest> begun = [], ended = [];
        await using TcpServer server = new(ReadToEndAsync, new TcpServerOptions
        {
            OnConnection = request =>
            {
                begun.Enqueue(request);
                return true;
            },
            OnConnectionEnd = ended.Enqueue,
        });
        IPEndPoint address = Listen(server);
        await AssertServesAsync(address); // ends by itself
        IOStream open = await IOStream.ConnectAsync("127.0.0.1", address.Port);
        while (begun.Count < 2) await Turn();
        await server.StopAsync(TimeSpan.Zero);
        Assert.Equal(begun.ToHashSet(ReferenceEqualityComparer.Instance), ended.ToHashSet(ReferenceEqualityComparer.Instance));
        Assert.Equal(2, ended.Count);
        open.Close();
    });

    [Fact]
    public void A_connection_whose_TLS_handshake_fails_has_its_end_reported() => Run(async () =>
    {
        TaskCompletionSource<ConnectionRequest> ended = new();
        await using TcpServer server = new(ReadToEndAsync, new TcpServerOptions
        {
            Ssl = TestCertificates.ServerOptions(),
            OnConnectionEnd = ended.SetResult,
        });
        await using IOStream client = await IOStream.ConnectAsync("127.0.0.1", Listen(server).Port);
        await client.WriteAsync("not a handshake\n"u8);
        ConnectionRequest request = await ended.Task;
        Assert.Equal(client.LocalEndPoint, request.RemoteEndPoint);
    });

    [Fact]
    public void A_failing_report_of_an_end_is_logged_and_the_server_stops_all_the_same() => Run(async () =>
    {
        ExpectLog("OnConnectionEnd of the server failed for the connection from 127.0.0.1:");
        await using TcpServer server = new(ReadToEndAsync, new TcpServerOptions { OnConnectionEnd = static _ => throw new InvalidDataException("on purpose") });
        IPEndPoint address = Listen(server);
        await AssertServesAsync(address);
        await AssertServesAsync(address);
        await server.StopAsync(Limit);
        Assert.Equal(0, server.ConnectionCount);
    });

    [Fact]
    public void The_limit_by_address_of_the_guide_admits_as_many_as_it_says() => Run(async () =>
    {
        Snippets.AddressLimit limit = new(2);
        await using TcpServer server = new(ReadToEndAsync, new TcpServerOptions { OnConnection = limit.Enter, OnConnectionEnd = limit.Leave });
        IPEndPoint address = Listen(server);
        IOStream first = await IOStream.ConnectAsync("127.0.0.1", address.Port);
        await using IOStream second = await IOStream.ConnectAsync("127.0.0.1", address.Port);
        while (server.ConnectionCount < 2) await Turn();
        await AssertResetAsync(address);
        first.Close();
        while (server.ConnectionCount == 2) await Turn();
        await AssertServesAsync(address);
    });

    private static IPEndPoint Listen(TcpServer server, IPAddress? address = null) =>
        (IPEndPoint)server.Listen(new IPEndPoint(address ?? IPAddress.Loopback, 0));

    private static async Task ReadToEndAsync(IOStream stream)
    {
        await stream.WriteAsync("hello\n"u8);
        await stream.ReadUntilCloseAsync();
    }

    private static async Task AssertServesAsync(IPEndPoint address)
    {
        await using IOStream client = await IOStream.ConnectAsync("127.0.0.1", address.Port);
        Assert.Equal("hello", await client.ReadLineAsync());
        await client.CompleteWritesAsync();
        await client.ReadUntilCloseAsync();
    }

    // The reset may arrive while the client is still connecting.
    private static async Task AssertResetAsync(IPEndPoint address)
    {
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(async () =>
        {
            await using IOStream client = await IOStream.ConnectAsync("127.0.0.1", address.Port);
            await client.ReadUntilCloseAsync();
        });
        Exception? cause = error.InnerException;
        Assert.Equal(SocketError.ConnectionReset, Assert.IsType<SocketException>(cause).SocketErrorCode);
    }
}
