using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Waterspout.Tests;

[OnEachPoller]
public sealed class TcpServerTests : LoopTest
{
    [Fact]
    public void Lines_are_echoed_over_TCP() => Run(async () =>
    {
        await using TcpServer server = new(EchoAsync);
        IPEndPoint address = (IPEndPoint)server.Listen(0, "127.0.0.1");
        await using IOStream client = await IOStream.ConnectAsync("127.0.0.1", address.Port);
        await CheckEchoAsync(client);
        Assert.Equal(1, server.ConnectionCount);
    });

    [Fact]
    public void Lines_are_echoed_over_a_Unix_socket_and_a_dead_one_is_replaced() => Run(async () =>
    {
        UnixDomainSocketEndPoint path = TestListener.NewPath();
        for (int i = 0; i < 2; i++)
        {
            // The first server leaves its path behind, without a listener.
            await using TcpServer server = new(EchoAsync);
            server.Listen(path);
            await using IOStream client = new(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
            await client.ConnectAsync(path);
            await CheckEchoAsync(client);
            if (i == 0) LeaveDeadSocket(ref path);
        }
    });

    [Fact]
    public void A_Unix_socket_in_use_is_not_removed() => Run(async () =>
    {
        using TestListener living = TestListener.OnPath();
        await using TcpServer server = new(EchoAsync);
        SocketException error = Assert.Throws<SocketException>(() => server.Listen(living.Path));
        Assert.Equal(SocketError.AddressAlreadyInUse, error.SocketErrorCode);
        Assert.True(File.Exists(living.Path.ToString()));
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Connections_are_spread_over_the_loops_of_a_group(bool reusePort) => Run(async () =>
    {
        using IOLoopGroup group = new(3, new IOLoopOptions { Poller = Poller });
        System.Collections.Concurrent.ConcurrentDictionary<IOLoop, int> used = new();
        await using TcpServer server = new(stream =>
        {
            Assert.True(stream.Loop.IsCurrent);
            used.AddOrUpdate(stream.Loop, 1, (_, count) => count + 1);
            return EchoAsync(stream);
        }, new TcpServerOptions { Loops = group, ReusePort = reusePort });
        IPEndPoint address = (IPEndPoint)server.Listen(0, "127.0.0.1");
        for (int i = 0; i < 30; i++)
        {
            await using IOStream client = await IOStream.ConnectAsync("127.0.0.1", address.Port);
            await CheckEchoAsync(client);
        }

        Assert.Equal(30, used.Values.Sum());
        Assert.All(used.Keys, loop => Assert.Contains(loop, group));
        if (!reusePort) Assert.All(group, loop => Assert.Equal(10, used[loop]));
        await server.StopAsync(TimeSpan.Zero);
    });

    [Fact]
    public void A_handler_that_throws_is_logged_and_closes_its_own_stream_only() => Run(async () =>
    {
        ExpectLog("The handler of"); // once: how its stream closes is no longer a warning
        await using TcpServer server = new(async stream =>
        {
            byte[] first = await stream.ReadBytesAsync(1);
            if (first[0] == '!') throw new InvalidDataException("on purpose");
            await EchoAsync(stream);
        });
        IPEndPoint address = (IPEndPoint)server.Listen(0, "127.0.0.1");
        await using IOStream good = await IOStream.ConnectAsync("127.0.0.1", address.Port);
        await good.WriteAsync("."u8);
        await using IOStream bad = await IOStream.ConnectAsync("127.0.0.1", address.Port);
        await bad.WriteAsync("!"u8);
        Assert.Empty(await bad.ReadUntilCloseAsync());
        await CheckEchoAsync(good);
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_handler_that_ends_by_a_time_limit_or_a_cancellation_has_one_line_of_information(bool isCancelled) => Run(async () =>
    {
        await using TcpServer server = new(async stream =>
        {
            await Task.Yield();
            throw isCancelled ? new OperationCanceledException() : new TimeoutException();
        });
        LogLine line = await LineOfEndAsync(server);
        Assert.Contains("The handler of", line.Message);
        Assert.Equal(LogLevel.Information, line.Level);
        Assert.Null(line.Error);
    });

    [Fact]
    public void A_limit_that_a_peer_passes_is_no_failure_of_the_handler() => Run(async () =>
    {
        await using TcpServer server = new(async _ =>
        {
            await Task.Yield();
            throw new UnsatisfiableReadException("too long");
        });
        LogLine line = await LineOfEndAsync(server);
        Assert.EndsWith(" closed: Error. too long", line.Message);
        Assert.Equal(LogLevel.Information, line.Level);
    });

    /// <summary>Connects, and waits until the handler has ended. Returns the one line above Debug.</summary>
    private async Task<LogLine> LineOfEndAsync(TcpServer server)
    {
        await using IOStream client = await IOStream.ConnectAsync("127.0.0.1", ((IPEndPoint)server.Listen(0, "127.0.0.1")).Port);
        await client.ReadUntilCloseAsync();
        while (server.ConnectionCount > 0) await Turn();
        return Assert.Single(Log.Lines, line => line.Level > LogLevel.Debug && !line.Message.StartsWith("Listening"));
    }

    [Fact]
    public void Stopping_waits_for_handlers_that_end() => Run(async () =>
    {
        TaskCompletionSource finish = new();
        await using TcpServer server = new(async stream =>
        {
            await stream.WriteAsync("begun\n"u8);
            await finish.Task;
            await stream.WriteAsync("ended\n"u8);
        });
        IPEndPoint address = (IPEndPoint)server.Listen(0, "127.0.0.1");
        await using IOStream client = await IOStream.ConnectAsync("127.0.0.1", address.Port);
        await client.ReadUntilAsync("begun\n"u8);
        Task stop = server.StopAsync(Limit);
        await Assert.ThrowsAsync<StreamClosedException>(async () => await RefusedAsync(address));
        Assert.False(stop.IsCompleted);
        finish.SetResult();
        Assert.Equal("ended\n", Encoding.ASCII.GetString(await client.ReadUntilCloseAsync()));
        client.Close();
        await stop;
        Assert.Equal(0, server.ConnectionCount);
        Assert.Throws<ObjectDisposedException>(() => server.Listen(0));
    });

    [Fact]
    public void Stopping_closes_the_connections_that_are_left() => Run(async () =>
    {
        CloseReason reason = CloseReason.None;
        await using TcpServer server = new(async stream =>
        {
            await stream.WriteAsync("begun\n"u8);
            StreamClosedException closed = await Assert.ThrowsAsync<StreamClosedException>(async () => await stream.ReadBytesAsync(1));
            reason = closed.Reason;
        });
        IPEndPoint address = (IPEndPoint)server.Listen(0, "127.0.0.1");
        await using IOStream client = await IOStream.ConnectAsync("127.0.0.1", address.Port);
        await client.ReadUntilAsync("begun\n"u8);
        await server.StopAsync(TimeSpan.Zero);
        Assert.Equal(CloseReason.Local, reason);
        Assert.Empty(await client.ReadUntilCloseAsync());
    });

    [Fact]
    public void Connections_that_are_reset_before_they_are_accepted_do_no_harm() => Run(async () =>
    {
        await using TcpServer server = new(EchoAsync);
        IPEndPoint address = (IPEndPoint)server.Listen(0, "127.0.0.1");
        for (int i = 0; i < 50; i++)
        {
            // Blocking, on the loop's own thread: the server cannot accept before the reset has arrived.
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(true, 0) };
            socket.Connect(address);
        }

        await using IOStream client = await IOStream.ConnectAsync("127.0.0.1", address.Port);
        await CheckEchoAsync(client);
    });

    [Fact]
    public void An_address_in_use_and_options_out_of_range_are_refused() => Run(async () =>
    {
        using TestListener living = new();
        await using TcpServer server = new(EchoAsync);
        Assert.Throws<SocketException>(() => server.Listen(living.EndPoint));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TcpServer(EchoAsync, new TcpServerOptions { Backlog = 0 }));
        Assert.Throws<ArgumentNullException>(() => new TcpServer(null!));
    });

    [Fact]
    public void A_server_listens_on_both_families_when_no_address_is_given() => Run(async () =>
    {
        await using TcpServer server = new(EchoAsync);
        IPEndPoint address = (IPEndPoint)server.Listen(0);
        await using IOStream client = await IOStream.ConnectAsync("127.0.0.1", address.Port);
        await CheckEchoAsync(client);
    });

    private static async Task RefusedAsync(IPEndPoint address)
    {
        await using IOStream client = await IOStream.ConnectAsync("127.0.0.1", address.Port);
    }

    private static void LeaveDeadSocket(ref UnixDomainSocketEndPoint path)
    {
        path = TestListener.NewPath();
        string moved = path.ToString();
        UnixDomainSocketEndPoint original = TestListener.NewPath();
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(original);
        socket.Listen(1);
        // Closing deletes the bound path, so the file must have another name by then.
        File.Move(original.ToString(), moved);
    }

    private static async Task EchoAsync(IOStream stream)
    {
        await foreach (byte[] line in stream.SplitAsync("\n"u8.ToArray())) await stream.WriteAsync([.. line, (byte)'\n']);
    }

    private static async Task CheckEchoAsync(IOStream client)
    {
        await client.WriteAsync("hello\n"u8);
        Assert.Equal("hello\n", Encoding.ASCII.GetString(await client.ReadUntilAsync("\n"u8)));
    }
}
