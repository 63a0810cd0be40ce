using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Waterspout.Tests;

/// <summary>The options of sockets: those that have a property, and the hooks for all others.</summary>
[OnEachPoller]
public sealed class SocketSettingsTests : LoopTest
{
    private static readonly IOStreamOptions s_settings = new()
    {
        KeepAlive = new KeepAlive(TimeSpan.FromSeconds(41), TimeSpan.FromMilliseconds(6500), 3),
        UserTimeout = TimeSpan.FromSeconds(12),
    };

    [Fact]
    public void A_stream_that_connects_has_its_keep_alive_and_user_timeout() => Run(async () =>
    {
        using TestListener listener = new();
        using IOStream byName = await IOStream.ConnectAsync("127.0.0.1", listener.EndPoint.Port, s_settings);
        AssertSettings(byName.Socket);
        using Socket own = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using IOStream stream = new(own, s_settings);
        await stream.ConnectAsync(listener.EndPoint);
        AssertSettings(stream.Socket);
        using Socket accepted = listener.Accept();
        Assert.Equal(0, Get(accepted, SocketOptionLevel.Socket, SocketOptionName.KeepAlive));
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Accepted_streams_have_the_settings_of_the_server(bool reusePort) => Run(async () =>
    {
        TaskCompletionSource<IOStream> handed = new();
        await using TcpServer server = new(stream => HoldAsync(stream, handed), new TcpServerOptions { Stream = s_settings, ReusePort = reusePort });
        IPEndPoint address = (IPEndPoint)server.Listen(0, "127.0.0.1");
        await using IOStream client = await IOStream.ConnectAsync("127.0.0.1", address.Port);
        AssertSettings((await handed.Task).Socket);
    });

    [Fact]
    public void On_Unix_sockets_the_settings_do_nothing() => Run(async () =>
    {
        TaskCompletionSource<IOStream> handed = new();
        await using TcpServer server = new(stream => HoldAsync(stream, handed), new TcpServerOptions { Stream = s_settings });
        UnixDomainSocketEndPoint path = TestListener.NewPath();
        server.Listen(path);
        await using IOStream client = new(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified), s_settings);
        await client.ConnectAsync(path);
        Assert.NotNull(await handed.Task);
    });

    [Fact]
    public void A_hook_configures_the_socket_before_it_is_bound_and_connected() => Run(async () =>
    {
        using TestListener listener = new();
        EndPoint? local = new IPEndPoint(IPAddress.Any, 1);
        bool isConnected = true;
        using IOStream client = await IOStream.ConnectAsync("127.0.0.1", listener.EndPoint.Port, new IOStreamOptions
        {
            LocalEndPoint = new IPEndPoint(IPAddress.Loopback, 0),
            ConfigureSocket = socket =>
            {
                (local, isConnected) = (socket.LocalEndPoint, socket.Connected);
                socket.LingerState = new LingerOption(true, 7);
            },
        });
        Assert.Equal(new IPEndPoint(IPAddress.Any, 0), local ?? new IPEndPoint(IPAddress.Any, 0));
        Assert.False(isConnected);
        Assert.Equal(7, client.Socket.LingerState!.LingerTime);
        client.Socket.LingerState = new LingerOption(false, 0);
    });

    [Fact]
    public void A_hook_of_the_server_configures_listening_sockets_and_what_they_pass_on() => Run(async () =>
    {
        List<bool> isBound = [];
        TaskCompletionSource<IOStream> handed = new();
        await using TcpServer server = new(stream => HoldAsync(stream, handed), new TcpServerOptions
        {
            ConfigureSocket = socket =>
            {
                isBound.Add(socket.IsBound && socket.LocalEndPoint is IPEndPoint { Port: > 0 });
                socket.ReceiveBufferSize = 50_000;
            },
        });
        IPEndPoint address = (IPEndPoint)server.Listen(0, "127.0.0.1");
        await using IOStream client = await IOStream.ConnectAsync("127.0.0.1", address.Port);
        Assert.Equal(100_000, (await handed.Task).Socket.ReceiveBufferSize); // the kernel doubles it
        Assert.Equal([false], isBound);
    });

    [Fact]
    public void A_hook_of_the_streams_configures_each_accepted_socket_and_may_misuse_it() => Run(async () =>
    {
        int count = 0;
        await using TcpServer server = new(static async stream => await stream.WriteLineAsync((await stream.ReadLineAsync())!), new TcpServerOptions
        {
            Stream = new IOStreamOptions
            {
                ConfigureSocket = socket =>
                {
                    count++;
                    Assert.Throws<InvalidOperationException>(() => new IOStream(socket));
                    socket.Blocking = true;
                    socket.Dispose();
                },
            },
        });
        IPEndPoint address = (IPEndPoint)server.Listen(0, "127.0.0.1");
        for (int i = 1; i <= 3; i++)
        {
            await using IOStream client = await IOStream.ConnectAsync("127.0.0.1", address.Port);
            await client.WriteLineAsync("still open");
            Assert.Equal("still open\n", Encoding.ASCII.GetString(await client.ReadUntilCloseAsync()));
            Assert.Equal(i, count);
        }
    });

    [Fact]
    public void A_listening_socket_that_a_hook_has_made_blocking_does_not_block_the_loop() => Run(async () =>
    {
        await using TcpServer server = new(static stream => stream.WriteLineAsync("hello").AsTask(), new TcpServerOptions { ConfigureSocket = static socket => socket.Blocking = true });
        IPEndPoint address = (IPEndPoint)server.Listen(0, "127.0.0.1");
        await using IOStream client = await IOStream.ConnectAsync("127.0.0.1", address.Port);
        Assert.Equal("hello", await client.ReadLineAsync());
    });

    [Fact]
    public void The_exception_of_a_hook_is_that_of_the_call() => Run(async () =>
    {
        using TestListener listener = new();
        Action<Socket> fail = static _ => throw new InvalidDataException("on purpose");
        await using TcpServer server = new(static _ => Task.CompletedTask, new TcpServerOptions { ConfigureSocket = fail });
        Assert.Throws<InvalidDataException>(() => server.Listen(0, "127.0.0.1"));
        await Assert.ThrowsAsync<InvalidDataException>(async () =>
            await IOStream.ConnectAsync("127.0.0.1", listener.EndPoint.Port, new IOStreamOptions { ConfigureSocket = fail }));
    });

    [Fact]
    public void An_accepted_connection_whose_hook_fails_is_closed_and_logged() => Run(async () =>
    {
        ExpectLog("The handler of");
        await using TcpServer server = new(static _ => Task.CompletedTask, new TcpServerOptions
        {
            Stream = new IOStreamOptions { ConfigureSocket = static _ => throw new InvalidDataException("on purpose") },
        });
        await using IOStream client = await IOStream.ConnectAsync("127.0.0.1", ((IPEndPoint)server.Listen(0, "127.0.0.1")).Port);
        Assert.Empty(await client.ReadUntilCloseAsync());
        while (server.ConnectionCount > 0) await Turn();
    });

    [Fact]
    public void Settings_out_of_range_are_refused_by_name()
    {
        AssertRefused("KeepAlive.Time", new IOStreamOptions { KeepAlive = new KeepAlive { Time = TimeSpan.Zero } });
        AssertRefused("KeepAlive.Interval", new IOStreamOptions { KeepAlive = new KeepAlive { Interval = TimeSpan.FromSeconds(32768) } });
        AssertRefused("KeepAlive.Retries", new IOStreamOptions { KeepAlive = new KeepAlive { Retries = 128 } });
        AssertRefused("UserTimeout", new IOStreamOptions { UserTimeout = TimeSpan.FromDays(25) });
        AssertRefused("UserTimeout", new IOStreamOptions { UserTimeout = TimeSpan.Zero });
    }

    private static void AssertRefused(string name, IOStreamOptions options)
    {
        ArgumentOutOfRangeException error = Assert.Throws<ArgumentOutOfRangeException>(() => new TcpServer(static _ => Task.CompletedTask, new TcpServerOptions { Stream = options }));
        Assert.Contains(name, error.Message);
    }

    private static async Task HoldAsync(IOStream stream, TaskCompletionSource<IOStream> handed)
    {
        handed.SetResult(stream);
        await stream.ReadUntilCloseAsync();
    }

    private static void AssertSettings(Socket socket)
    {
        Assert.NotEqual(0, Get(socket, SocketOptionLevel.Socket, SocketOptionName.KeepAlive));
        Assert.Equal(41, Get(socket, SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime));
        Assert.Equal(7, Get(socket, SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval));
        Assert.Equal(3, Get(socket, SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount));
        byte[] value = new byte[sizeof(int)];
        Assert.Equal(sizeof(int), socket.GetRawSocketOption(6, 18, value)); // TCP_USER_TIMEOUT
        Assert.Equal(12_000, BitConverter.ToInt32(value));
    }

    private static int Get(Socket socket, SocketOptionLevel level, SocketOptionName name) => (int)socket.GetSocketOption(level, name)!;
}
