using System.Net;
using System.Net.Sockets;

namespace Waterspout.Tests.Tls;

/// <summary>No thread of the pool is needed for a connection over TLS, from its handshake to its end.</summary>
[OnEachPoller]
public sealed class StarvedPoolTests : TlsTest
{
    private readonly ManualResetEventSlim _release = new();

    [Fact]
    public void Accepted_and_connecting_streams_shake_hands() => RunStarved(async () =>
    {
        TcpServer server = new(EchoAsync, new TcpServerOptions { Ssl = TestCertificates.ServerOptions() });
        EndPoint address = server.Listen(0, "127.0.0.1");
        for (int i = 0; i < 5; i++)
        {
            using SslIOStream client = new(new Socket(SocketType.Stream, ProtocolType.Tcp), TestCertificates.ClientOptions());
            await client.ConnectAsync(address, "localhost");
            await client.WriteAsync("ping\n"u8);
            Assert.Equal("ping\n", Text(await client.ReadUntilAsync("\n"u8)));
            await client.CloseAsync();
        }

        _release.Set(); // a stop runs users' callbacks on the pool
        await server.DisposeAsync();
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

    [Fact]
    public void Connections_give_the_pool_nothing_to_do() => Run(async () =>
    {
        const int Connections = 30;
        await using TcpServer server = new(EchoAsync, new TcpServerOptions { Ssl = TestCertificates.ServerOptions() });
        EndPoint address = server.Listen(0, "127.0.0.1");
        long before = ThreadPool.CompletedWorkItemCount + ThreadPool.PendingWorkItemCount;
        for (int i = 0; i < Connections; i++)
        {
            SslIOStream client = new(new Socket(SocketType.Stream, ProtocolType.Tcp), TestCertificates.ClientOptions());
            await client.ConnectAsync(address, "localhost");
            await client.WriteAsync("ping\n"u8);
            await client.ReadUntilAsync("\n"u8);
            await client.CloseAsync();
        }

        // Fewer than one per connection: the test runner uses the pool too.
        Assert.InRange(ThreadPool.CompletedWorkItemCount + ThreadPool.PendingWorkItemCount - before, 0, Connections / 2);
    });

    /// <summary>Runs a body while every thread of the pool is blocked, and more work is queued than the pool adds threads for.</summary>
    private void RunStarved(Func<Task> body)
    {
        // Created before, since its creation may wait for the pool.
        _ = TestCertificates.ServerOptions();
        _ = OpenDescriptors.Count;
        using CountdownEvent ended = new(ThreadPool.ThreadCount + 300);
        for (int i = 0; i < ended.InitialCount; i++)
        {
            ThreadPool.UnsafeQueueUserWorkItem(_ =>
            {
                _release.Wait();
                ended.Signal();
            }, null);
        }

        try
        {
            Run(body);
        }
        finally
        {
            _release.Set();
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
