using System.Net;
using System.Net.Sockets;

namespace Waterspout.Tests.Tls;

/// <summary>No thread of the pool is needed for a connection over TLS, from its handshake to its end.</summary>
public abstract class StarvedPoolTests(PollerKind poller) : TlsTest(poller)
{
    [Fact]
    public void Accepted_and_connecting_streams_shake_hands() => RunStarved(async () =>
    {
        await using TcpServer server = new(EchoAsync, new TcpServerOptions { Ssl = TestCertificates.ServerOptions() });
        EndPoint address = server.Listen(0, "127.0.0.1");
        for (int i = 0; i < 5; i++)
        {
            using SslIOStream client = new(new Socket(SocketType.Stream, ProtocolType.Tcp), TestCertificates.ClientOptions());
            await client.ConnectAsync(address, "localhost");
            await client.WriteAsync("ping\n"u8);
            Assert.Equal("ping\n", Text(await client.ReadUntilAsync("\n"u8)));
            await client.CloseAsync();
        }
    });

    [Fact]
    public void Streams_connect_to_names() => RunStarved(async () =>
    {
        await using TcpServer server = new(EchoAsync, new TcpServerOptions { Ssl = TestCertificates.ServerOptions() });
        int port = ((IPEndPoint)await server.ListenAsync(0, "localhost")).Port;
        using SslIOStream client = await SslIOStream.ConnectAsync("localhost", port, TestCertificates.ClientOptions());
        using SslIOStream over = new(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp), TestCertificates.ClientOptions());
        await over.ConnectAsync(new DnsEndPoint("localhost", port));
        await CheckAsync(client);
        await CheckAsync(over);
    });

    [Fact]
    public void Streams_over_connected_sockets_shake_hands() => RunStarved(async () =>
    {
        (SslIOStream client, SslIOStream server) = await ConnectPairAsync();
        await AssertEchoes(client, server);
        client.Close();
        server.Close();
    });

    [Fact]
    public void Both_sides_of_an_upgrade_shake_hands() => RunStarved(async () =>
    {
        (IOStream left, IOStream right) = IOStream.CreatePair();
        ValueTask<SslIOStream> upgrading = right.StartTlsAsync(TestCertificates.ServerOptions());
        SslIOStream client = await left.StartTlsAsync(TestCertificates.ClientOptions());
        SslIOStream server = await upgrading;
        await AssertEchoes(client, server);
        client.Close();
        server.Close();
    });

    /// <summary>Runs a body while every thread of the pool is blocked, and more work is queued than the pool adds threads for.</summary>
    private void RunStarved(Func<Task> body)
    {
        // Certificates are made and loaded before.
        _ = TestCertificates.ServerOptions();
        using ManualResetEventSlim release = new();
        using CountdownEvent ended = new(ThreadPool.ThreadCount + 300);
        for (int i = 0; i < ended.InitialCount; i++)
        {
            ThreadPool.UnsafeQueueUserWorkItem(_ =>
            {
                release.Wait();
                ended.Signal();
            }, null);
        }

        try
        {
            Run(body);
        }
        finally
        {
            release.Set();
            ended.Wait();
        }
    }

    private static async Task CheckAsync(SslIOStream client)
    {
        await client.WriteAsync("ping\n"u8);
        Assert.Equal("ping\n", Text(await client.ReadUntilAsync("\n"u8)));
        await client.CloseAsync();
    }

    private static async Task EchoAsync(IOStream stream)
    {
        while (true) await stream.WriteAsync(await stream.ReadUntilAsync("\n"u8));
    }
}

public sealed class EpollStarvedPoolTests() : StarvedPoolTests(PollerKind.Epoll);

public sealed class PortableStarvedPoolTests() : StarvedPoolTests(PollerKind.Portable);
