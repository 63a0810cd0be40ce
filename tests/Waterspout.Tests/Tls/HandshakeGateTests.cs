using System.Net;
using System.Net.Sockets;
using Waterspout.Tls;

namespace Waterspout.Tests.Tls;

/// <summary>The number of handshakes under way is bounded, and clients that hold places do not keep others out.</summary>
[OnEachPoller]
public sealed class HandshakeGateTests : TlsTest
{
    [Fact]
    public void Clients_that_send_only_a_hello_do_not_block_another_one() => Run(async () =>
    {
        await using TcpServer server = MakeServer(places: 3);
        EndPoint address = server.Listen(0, "127.0.0.1");
        byte[] hello = DroppedHandshakeTests.Hello();
        List<Socket> held = [.. Enumerable.Range(0, 50).Select(_ => SayHello(address, hello))];
        HandshakeGate gate = HandshakeGate.Of(Loop, isServer: true);
        while (gate.Inside + gate.Waiting < held.Count)
        {
            Assert.True(gate.Inside <= 3);
            await Turn();
        }

        using SslIOStream client = await ConnectAsync(address);
        await client.WriteAsync("ping\n"u8);
        Assert.Equal("ping\n", Text(await client.ReadUntilAsync("\n"u8)));
        // Served before some of those that came earlier.
        Assert.True(gate.Waiting > 0);
        foreach (Socket socket in held) socket.Dispose();
        while (gate.Inside + gate.Waiting > 0) await Turn();
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Waiting_handshakes_get_a_place_without_a_new_client(bool isWhole) => Run(async () =>
    {
        await using TcpServer server = MakeServer(places: 1, Timeout.InfiniteTimeSpan);
        EndPoint address = server.Listen(0, "127.0.0.1");
        byte[] hello = DroppedHandshakeTests.Hello();
        List<Socket> held = [.. Enumerable.Range(0, 4).Select(_ => SayHello(address, isWhole ? hello : hello[..1]))];
        HandshakeGate gate = HandshakeGate.Of(Loop, isServer: true);
        while (gate.Inside + gate.Waiting < held.Count) await Turn();
        while (gate.Waiting > 0) await Turn();
        Assert.Equal(1, gate.Inside);
        foreach (Socket socket in held) socket.Dispose();
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Clients_that_leave_the_gate_leave_nothing(bool resets) => Run(async () =>
    {
        await using TcpServer server = MakeServer(places: 3);
        EndPoint address = server.Listen(0, "127.0.0.1");
        byte[] hello = DroppedHandshakeTests.Hello();
        List<Socket> held = [.. Enumerable.Range(0, 20).Select(_ => SayHello(address, hello))];
        HandshakeGate gate = HandshakeGate.Of(Loop, isServer: true);
        while (gate.Inside + gate.Waiting < held.Count) await Turn();
        foreach (Socket socket in held)
        {
            if (resets) socket.LingerState = new LingerOption(true, 0);
            socket.Dispose();
        }

        while (gate.Inside + gate.Waiting > 0) await Turn();
        while (server.ConnectionCount > 0) await Turn();
    });

    [Fact]
    public void A_silent_client_takes_no_handshake_place() => Run(async () =>
    {
        await using TcpServer server = MakeServer(places: 1);
        EndPoint address = server.Listen(0, "127.0.0.1");
        List<Socket> silent = [.. Enumerable.Range(0, 20).Select(_ => SayHello(address, []))];
        while (server.ConnectionCount < silent.Count) await Turn();
        Assert.Equal(0, HandshakeGate.Of(Loop, isServer: true).Inside);
        using SslIOStream client = await ConnectAsync(address);
        foreach (Socket socket in silent) socket.Dispose();
    });

    [Fact]
    public void Clients_of_one_loop_wait_for_their_places_and_all_connect() => Run(async () =>
    {
        IOStreamOptions options = new() { MaxHandshakes = 2 };
        await using TcpServer server = MakeServer(places: 2);
        EndPoint address = server.Listen(0, "127.0.0.1");
        HandshakeGate gate = HandshakeGate.Of(Loop, isServer: false);
        List<Task<SslIOStream>> connecting = [.. Enumerable.Range(0, 20).Select(_ => ConnectAsync(address, options))];
        while (!connecting.All(task => task.IsCompleted))
        {
            Assert.True(gate.Inside <= 2);
            await Turn();
        }

        foreach (Task<SslIOStream> connected in connecting) (await connected).Close();
        Assert.Equal(0, gate.Inside);
    });

    [Fact]
    public void A_handshake_that_fails_gives_its_place_up() => Run(async () =>
    {
        await using TcpServer server = MakeServer(places: 1);
        EndPoint address = server.Listen(0, "127.0.0.1");
        List<Socket> strangers = [.. Enumerable.Range(0, 20).Select(_ => SayHello(address, "GET / HTTP/1.0\r\n\r\n"u8.ToArray()))];
        using SslIOStream client = await ConnectAsync(address);
        // The client is done with its handshake before the server is.
        while (server.ConnectionCount > 1 || HandshakeGate.Of(Loop, isServer: true).Inside > 0) await Turn();
        foreach (Socket socket in strangers) socket.Dispose();
    });

    // Each handshake has the limit of its own server, so one place that becomes free need not be enough for the next in the queue.
    [Fact]
    public void Places_are_freed_until_there_are_few_enough_for_the_handshake_that_waits() => Run(async () =>
    {
        await using TcpServer large = MakeServer(places: 5, Timeout.InfiniteTimeSpan), small = MakeServer(places: 1);
        EndPoint busy = large.Listen(0, "127.0.0.1"), address = small.Listen(0, "127.0.0.1");
        byte[] hello = DroppedHandshakeTests.Hello();
        List<Socket> held = [.. Enumerable.Range(0, 3).Select(_ => SayHello(busy, hello))];
        HandshakeGate gate = HandshakeGate.Of(Loop, isServer: true);
        while (gate.Inside < held.Count) await Turn();
        using SslIOStream client = await ConnectAsync(address);
        Assert.Equal(0, large.ConnectionCount);
        foreach (Socket socket in held) socket.Dispose();
    });

    private static TcpServer MakeServer(int places, TimeSpan? limit = null) => new(
        async stream =>
        {
            while (true) await stream.WriteAsync(await stream.ReadUntilAsync("\n"u8));
        },
        new TcpServerOptions { Ssl = TestCertificates.ServerOptions(), MaxHandshakes = places, HandshakeTimeout = limit ?? TimeSpan.FromSeconds(10) });

    private static async Task<SslIOStream> ConnectAsync(EndPoint address, IOStreamOptions? options = null)
    {
        SslIOStream client = new(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp), TestCertificates.ClientOptions(), options);
        await client.ConnectAsync(address);
        return client;
    }

    private static Socket SayHello(EndPoint address, byte[] hello)
    {
        Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(address);
        client.Send(hello);
        return client;
    }
}
