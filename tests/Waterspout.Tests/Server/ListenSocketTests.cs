using System.Net;
using System.Net.Sockets;

namespace Waterspout.Tests;

/// <summary>A server on a socket that was bound elsewhere, and the mode of a Unix socket's file.</summary>
[OnEachPoller]
public sealed class ListenSocketTests : LoopTest
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_server_serves_on_a_bound_socket_and_disposes_it(bool isListening) => Run(async () =>
    {
        Socket socket = Bound();
        if (isListening) socket.Listen();
        await using TcpServer server = new(GreetAsync, new TcpServerOptions { Stream = new IOStreamOptions { KeepAlive = new KeepAlive { Retries = 3 } } });
        EndPoint address = server.Listen(socket);
        Assert.Equal(socket.LocalEndPoint, address);
        Assert.Equal("hello 3", await ReadGreetingAsync(address));
        await server.StopAsync(Limit);
        Assert.Throws<ObjectDisposedException>(() => socket.Available);
        await Assert.ThrowsAsync<StreamClosedException>(() => ReadGreetingAsync(address));
    });

    [Fact]
    public void Connections_that_came_before_the_server_are_served() => Run(async () =>
    {
        Socket socket = Bound();
        socket.Listen();
        Task<string?> early = ReadGreetingAsync(socket.LocalEndPoint!);
        await using TcpServer server = new(GreetAsync);
        server.Listen(socket);
        Assert.StartsWith("hello", await early);
    });

    [Fact]
    public void Connections_of_a_given_socket_are_spread_over_the_loops() => Run(async () =>
    {
        using IOLoopGroup group = new(2, new IOLoopOptions { Poller = Poller });
        HashSet<IOLoop> used = [];
        await using TcpServer server = new(stream =>
        {
            lock (used) used.Add(stream.Loop);
            return GreetAsync(stream);
        }, new TcpServerOptions { Loops = group, ReusePort = true });
        EndPoint address = server.Listen(Bound());
        for (int i = 0; i < 4; i++) await ReadGreetingAsync(address);
        Assert.Equal(2, used.Count);
        await server.StopAsync(Limit);
    });

    [Fact]
    public void A_socket_that_its_other_owner_disposes_is_still_served() => Run(async () =>
    {
        Socket socket = Bound();
        await using TcpServer server = new(GreetAsync);
        EndPoint address = server.Listen(socket);
        socket.Dispose();
        Assert.StartsWith("hello", await ReadGreetingAsync(address));
    });

    [Fact]
    public void What_cannot_be_listened_on_is_refused_and_stays_its_owners() => Run(async () =>
    {
        await using TcpServer server = new(GreetAsync);
        using Socket unbound = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Assert.Throws<ArgumentException>(() => server.Listen(unbound));
        using Socket datagrams = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        datagrams.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Assert.Throws<ArgumentException>(() => server.Listen(datagrams));
        using TestListener listener = new();
        using Socket connected = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        connected.Connect(listener.EndPoint);
        SocketException error = Assert.Throws<SocketException>(() => server.Listen(connected));
        Assert.Contains(connected.LocalEndPoint!.ToString()!, error.Message);
        using IOStream stillUsable = new(connected);
        Socket closed = Bound();
        closed.Dispose();
        Assert.Throws<ObjectDisposedException>(() => server.Listen(closed));
        Assert.Throws<ArgumentNullException>(() => server.Listen((Socket)null!));
    });

    [Fact]
    public void A_socket_has_one_owner() => Run(async () =>
    {
        Socket socket = Bound();
        await using TcpServer one = new(GreetAsync), two = new(GreetAsync);
        one.Listen(socket);
        Assert.Throws<InvalidOperationException>(() => two.Listen(socket));
        Assert.Throws<InvalidOperationException>(() => new IOStream(socket));
    });

    [Fact]
    public void A_stopped_server_takes_no_socket() => Run(async () =>
    {
        TcpServer stopped = new(GreetAsync);
        await stopped.DisposeAsync();
        Socket socket = Bound();
        Assert.Throws<ObjectDisposedException>(() => stopped.Listen(socket));
        await using TcpServer server = new(GreetAsync);
        server.Listen(socket);
    });

    [Theory]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)]
    public void A_Unix_sockets_file_has_the_mode_of_the_options(UnixFileMode mode) => Run(async () =>
    {
        UnixDomainSocketEndPoint path = TestListener.NewPath();
        await using TcpServer server = new(GreetAsync, new TcpServerOptions { UnixFileMode = mode });
        server.Listen(path);
        Assert.Equal(mode, File.GetUnixFileMode(path.ToString()));
        server.Listen(new UnixDomainSocketEndPoint($"\0{path}")); // has no file
        server.Listen(0, "127.0.0.1");
    });

    [Fact]
    public void An_undefined_mode_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new TcpServer(GreetAsync, new TcpServerOptions { UnixFileMode = (UnixFileMode)0x1000 }));

    private static Socket Bound()
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    private static Task GreetAsync(IOStream stream) =>
        stream.WriteLineAsync($"hello {stream.Socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount)}").AsTask();

    private static async Task<string?> ReadGreetingAsync(EndPoint address)
    {
        await using IOStream client = await IOStream.ConnectAsync("127.0.0.1", ((IPEndPoint)address).Port);
        return await client.ReadLineAsync();
    }
}
