using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Waterspout.Tls;

namespace Waterspout.Tests.Tls;

/// <summary>Nothing is computed for a peer that has disconnected, and its handshake's resources are released at once.</summary>
[OnEachPoller]
public sealed class DroppedHandshakeTests : TlsTest
{
    private int _chosen;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_client_that_ends_behind_its_hello_is_not_answered(bool resets) => Run(async () =>
    {
        await using TcpServer server = MakeServer();
        EndPoint address = server.Listen(0, "127.0.0.1");
        byte[] hello = Hello();
        // Hello and EOF are in the kernel before the loop sees any of it.
        for (int i = 0; i < 50; i++) End(Begin(address, hello), resets);
        await Turns(3);
        while (server.ConnectionCount > 0) await Turn();
        Assert.Equal(0, _chosen);
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_client_that_ends_while_its_handshake_waits_for_a_worker_is_dropped_at_once(bool resets) => Run(async () =>
    {
        await using TcpServer server = MakeServer();
        EndPoint address = server.Listen(0, "127.0.0.1");
        byte[] hello = Hello();
        using (new BlockedWorkers())
        {
            List<Socket> clients = [.. Enumerable.Range(0, 50).Select(_ => Begin(address, hello))];
            while (server.ConnectionCount < clients.Count) await Turn();
            await Turns(3);
            foreach (Socket client in clients) End(client, resets);
            while (server.ConnectionCount > 0) await Turn();
        }

        // A handshake that is queued behind them: the workers have passed them when it is done.
        (SslIOStream left, SslIOStream right) = await ConnectPairAsync();
        left.Close();
        right.Close();
        Assert.Equal(0, _chosen);
    });

    [Fact]
    public void Workers_that_are_blocked_do_not_hold_up_a_handshake() => Run(async () =>
    {
        using BlockedWorkers blocked = new(Environment.ProcessorCount);
        (SslIOStream client, SslIOStream server) = await ConnectPairAsync();
        await AssertEchoes(client, server);
        client.Close();
        server.Close();
    });

    private TcpServer MakeServer()
    {
        SslServerAuthenticationOptions options = TestCertificates.ServerOptions();
        options.ServerCertificateContext = null;
        options.ServerCertificate = null;
        options.ServerCertificateSelectionCallback = (_, _) =>
        {
            Interlocked.Increment(ref _chosen);
            return TestCertificates.Server;
        };
        return new TcpServer(_ => Task.CompletedTask, new TcpServerOptions { Ssl = options, HandshakeTimeout = Timeout.InfiniteTimeSpan });
    }

    private static Socket Begin(EndPoint address, byte[] hello)
    {
        Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(address);
        client.Send(hello);
        return client;
    }

    private static void End(Socket client, bool resets)
    {
        if (resets) client.LingerState = new LingerOption(true, 0);
        client.Dispose();
    }

    /// <summary>A ClientHello.</summary>
    internal static byte[] Hello()
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        using (left)
        {
            using SslStream client = new(new NetworkStream(right, ownsSocket: true));
            Task handshake = client.AuthenticateAsClientAsync(TestCertificates.ClientOptions());
            byte[] buffer = new byte[4096];
            int count = left.Receive(buffer);
            left.Close();
            Assert.ThrowsAny<Exception>(() => handshake.GetAwaiter().GetResult());
            return buffer[..count];
        }
    }
}

/// <summary>This number of workers, or all, are in callbacks that do not return.</summary>
internal sealed class BlockedWorkers : IThreadPoolWorkItem, IDisposable
{
    private readonly ManualResetEventSlim _release = new();
    private readonly CountdownEvent _blocked;
    private readonly CountdownEvent _ended;

    internal BlockedWorkers(int? count = null)
    {
        _blocked = new CountdownEvent(count ?? HandshakeWorkers.Shared.MaxThreads);
        _ended = new CountdownEvent(_blocked.InitialCount);
        for (int i = 0; i < _blocked.InitialCount; i++) HandshakeWorkers.Shared.Add(this, isFirst: true);
        _blocked.Wait();
    }

    public void Execute()
    {
        _blocked.Signal();
        _release.Wait();
        _ended.Signal();
    }

    public void Dispose()
    {
        _release.Set();
        _ended.Wait();
        _blocked.Dispose();
        _ended.Dispose();
        _release.Dispose();
    }
}
