using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Waterspout.Tests;

[OnEachPoller]
public sealed class ConnectTests : LoopTest
{
    [Fact]
    public void The_callback_form_throws_what_is_wrong_with_the_call() => Run(async () =>
    {
        using TestListener listener = new();
        (IOStream near, IOStream far) = IOStream.CreatePair();
        Assert.Throws<ArgumentNullException>(() => near.Connect(null!));
        Assert.Throws<InvalidOperationException>(() => near.Connect(listener.EndPoint, () => { }));
        Assert.False(near.IsClosed);
        near.Close();
        Assert.Throws<StreamClosedException>(() => near.Connect(listener.EndPoint, () => { }));

        using IOStream stream = NewStream();
        TaskCompletionSource connected = new();
        stream.Connect(listener.EndPoint, connected.SetResult);
        Assert.Throws<InvalidOperationException>(() => stream.Connect(listener.EndPoint));
        await connected.Task;
        Assert.Throws<InvalidOperationException>(() => stream.Connect(listener.EndPoint));
    });

    [Fact]
    public void A_close_in_order_waits_for_the_connection_that_its_data_needs() => Run(async () =>
    {
        using TestListener listener = new();
        IOStream stream = NewStream();
        ValueTask connect = stream.ConnectAsync(listener.EndPoint);
        await stream.WriteAsync("data"u8);
        Task close = stream.CloseAsync().AsTask();
        using Socket server = await listener.AcceptAsync();
        await connect;
        await using IOStream peer = new(server);
        Assert.Equal("data", Encoding.ASCII.GetString(await peer.ReadUntilCloseAsync()));
        await close;
        Assert.Equal(CloseReason.Local, stream.CloseReason);
    });

    [Fact]
    public void So_does_that_of_another_thread() => Run(async () =>
    {
        using TestListener listener = new();
        IOStream stream = NewStream();
        TaskCompletionSource connected = new();
        await Task.Run(() =>
        {
            stream.Connect(listener.EndPoint, connected.SetResult);
            Assert.Throws<InvalidOperationException>(() => stream.Connect(listener.EndPoint));
        });
        await connected.Task;
        stream.Close();
        await Task.Run(() => Assert.Throws<StreamClosedException>(() => stream.Connect(listener.EndPoint)));
    });

    [Fact]
    public void An_IP_address_is_connected_to() => Run(async () =>
    {
        using TestListener listener = new();
        using IOStream stream = NewStream();
        await stream.ConnectAsync(listener.EndPoint);
        Assert.Equal(listener.EndPoint, stream.RemoteEndPoint);
        using Socket server = listener.Accept();
        await stream.WriteAsync("x"u8);
        await stream.FlushAsync();
        Assert.Equal(1, server.Receive(new byte[10]));
    });

    [Fact]
    public void What_a_server_sent_that_resets_before_the_connection_is_noticed_is_read() => Run(async () =>
    {
        using TestListener listener = new();
        IOStream stream = NewStream();
        Task connecting = stream.ConnectAsync(listener.EndPoint).AsTask();
        using (Socket server = listener.Accept())
        {
            server.Send("too many of you"u8);
            server.LingerState = new LingerOption(true, 0);
        }

        await connecting;
        Assert.Equal("too many of you", Encoding.ASCII.GetString(await stream.ReadBytesAsync(15)));
        StreamClosedException closed = await Assert.ThrowsAsync<StreamClosedException>(() => stream.ReadUntilCloseAsync().AsTask());
        Assert.Equal(CloseReason.Reset, closed.Reason);
        Assert.IsType<SocketException>(stream.Error);
    });

    [Fact]
    public void A_server_that_resets_at_once_is_no_connection() => Run(async () =>
    {
        using TestListener listener = new();
        IOStream stream = NewStream();
        Task connecting = stream.ConnectAsync(listener.EndPoint).AsTask();
        using (Socket server = listener.Accept()) server.LingerState = new LingerOption(true, 0);
        StreamClosedException closed = await Assert.ThrowsAsync<StreamClosedException>(() => connecting);
        Assert.Equal(SocketError.ConnectionReset, Assert.IsType<SocketException>(closed.InnerException).SocketErrorCode);
    });

    [Fact]
    public void A_name_is_connected_to() => Run(async () =>
    {
        using TestListener listener = new();
        using IOStream stream = NewStream();
        await stream.ConnectAsync(new DnsEndPoint("localhost", listener.EndPoint.Port));
        listener.Accept().Dispose();
        await using IOStream raced = await IOStream.ConnectAsync("localhost", listener.EndPoint.Port);
        Assert.True(raced.Socket.NoDelay);
        listener.Accept().Dispose();
    });

    [Fact]
    public void A_Unix_path_is_connected_to() => Run(async () =>
    {
        using TestListener listener = TestListener.OnPath();
        using IOStream stream = NewUnixStream();
        await stream.ConnectAsync(listener.Path);
        listener.Accept().Dispose();
    });

    [Fact]
    public void Reads_and_writes_may_begin_before_the_connection_is_there() => Run(async () =>
    {
        using TestListener listener = new();
        using IOStream stream = NewStream();
        Task connect = stream.ConnectAsync(listener.EndPoint).AsTask();
        Task write = stream.WriteAsync("request"u8).AsTask();
        Task flush = stream.FlushAsync().AsTask();
        Task<byte[]> read = stream.ReadBytesAsync(6).AsTask();
        using IOStream server = new(await listener.AcceptAsync());
        Assert.Equal("request", Encoding.ASCII.GetString(await server.ReadBytesAsync(7)));
        await server.WriteAsync("answer"u8);
        Assert.Equal("answer", Encoding.ASCII.GetString(await read));
        await Task.WhenAll(connect, write, flush);
    });

    [Fact]
    public void A_large_write_and_a_half_close_may_begin_before_the_connection_is_there() => Run(async () =>
    {
        using TestListener listener = new();
        using IOStream stream = NewStream();
        Task connect = stream.ConnectAsync(listener.EndPoint).AsTask();
        Task write = stream.WriteAsync(new byte[1024 * 1024].AsMemory()).AsTask();
        Task complete = stream.CompleteWritesAsync().AsTask();
        using IOStream server = new(await listener.AcceptAsync());
        Assert.Equal(1024 * 1024, (await server.ReadUntilCloseAsync()).Length);
        await Task.WhenAll(connect, write, complete);
    });

    [Fact]
    public void The_callback_form_calls_back_when_connected() => Run(async () =>
    {
        using TestListener listener = new();
        using IOStream stream = NewStream();
        TaskCompletionSource connected = new();
        stream.Connect(listener.EndPoint, connected.SetResult);
        await connected.Task;
        listener.Accept().Dispose();
    });

    [Fact]
    public void A_second_connect_is_refused_and_leaves_the_first_alone() => Run(async () =>
    {
        using TestListener listener = new();
        using IOStream stream = NewStream();
        Task connect = stream.ConnectAsync(listener.EndPoint).AsTask();
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await stream.ConnectAsync(listener.EndPoint));
        await connect;
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await stream.ConnectAsync(listener.EndPoint));
        Assert.False(stream.IsClosed);
        listener.Accept().Dispose();
    });

    [Fact]
    public void A_stream_can_be_connected_from_another_thread() => Run(async () =>
    {
        using TestListener listener = new();
        using IOStream stream = NewStream();
        await Task.Run(async () => await stream.ConnectAsync(listener.EndPoint));
        listener.Accept().Dispose();
    });

    [Fact]
    public void A_dual_mode_socket_reaches_an_IPv4_address() => Run(async () =>
    {
        using TestListener listener = new();
        using IOStream stream = new(new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true });
        await stream.ConnectAsync(listener.EndPoint);
        listener.Accept().Dispose();
    });

    [Fact]
    public void A_Unix_socket_waits_while_the_backlog_is_full() => Run(async () =>
    {
        using TestListener listener = TestListener.OnPath(backlog: 1);
        List<Socket> fillers = listener.FillBacklog();
        using IOStream stream = NewUnixStream();
        Task connect = stream.ConnectAsync(listener.Path).AsTask();
        Assert.False(connect.IsCompleted);
        foreach (Socket filler in fillers) filler.Dispose();
        for (int i = 0; i < fillers.Count; i++) listener.Accept().Dispose();
        await connect;
        listener.Accept().Dispose();
    });

    [Fact]
    public void A_local_address_is_connected_from() => Run(async () =>
    {
        using TestListener listener = new();
        IOStreamOptions options = new() { LocalEndPoint = new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0) };
        await using IOStream stream = await IOStream.ConnectAsync("127.0.0.1", listener.EndPoint.Port, options);
        Assert.Equal(options.LocalEndPoint.Address, ((IPEndPoint)stream.LocalEndPoint!).Address);
        listener.Accept().Dispose();
    });

    [Fact]
    public void Connecting_is_an_activity_that_tells_whether_it_failed() => Run(async () =>
    {
        List<Activity> activities = [];
        using ActivityListener tracer = new()
        {
            ShouldListenTo = source => source.Name == "Waterspout",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activities.Add,
        };
        ActivitySource.AddActivityListener(tracer);
        using TestListener listener = new();
        using IOStream stream = NewStream();
        await stream.ConnectAsync(listener.EndPoint);
        listener.Accept().Dispose();
        await Assert.ThrowsAsync<StreamClosedException>(async () => await NewStream().ConnectAsync(new IPEndPoint(IPAddress.Loopback, TestListener.UnusedPort())));
        Assert.Equal(["connect", "connect"], activities.Select(activity => activity.OperationName));
        Assert.Equal([ActivityStatusCode.Unset, ActivityStatusCode.Error], activities.Select(activity => activity.Status));
    });

    private static IOStream NewStream() => new(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));

    private static IOStream NewUnixStream() => new(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
}
