using System.Net;
using System.Net.Sockets;

namespace Waterspout.Tests;

/// <summary>Connects that fail. Every test also fails, through its base class, if a descriptor is leaked.</summary>
[OnEachPoller]
public sealed class ConnectFailureTests : ManualLoopTest
{
    [Fact]
    public void A_refused_connect_fails_and_closes_the_stream() => Run(async () =>
    {
        IOStream stream = NewStream();
        TaskCompletionSource closed = new();
        stream.SetCloseCallback(closed.SetResult);
        Task<byte[]> read = stream.ReadBytesAsync(1).AsTask();
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(
            async () => await stream.ConnectAsync(new IPEndPoint(IPAddress.Loopback, TestListener.UnusedPort())));
        Assert.Equal(SocketError.ConnectionRefused, Assert.IsType<SocketException>(error.InnerException).SocketErrorCode);
        Assert.Same(error.InnerException, stream.Error);
        Assert.Equal(CloseReason.Error, stream.CloseReason);
        await Assert.ThrowsAsync<StreamClosedException>(() => read);
        await closed.Task;
    });

    [Fact]
    public void A_Unix_path_without_a_listener_is_refused() => Run(async () =>
    {
        IOStream stream = NewUnixStream();
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(async () => await stream.ConnectAsync(TestListener.NewPath()));
        Assert.Equal(SocketError.ConnectionRefused, Assert.IsType<SocketException>(error.InnerException).SocketErrorCode);
    });

    [Fact]
    public void An_unknown_host_is_named_by_the_error() => Run(async () =>
    {
        IOStream stream = NewStream();
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(async () => await stream.ConnectAsync(new DnsEndPoint("host.invalid", 80)));
        Assert.IsType<SocketException>(error.InnerException);
        Assert.True(stream.IsClosed);
        error = await Assert.ThrowsAsync<StreamClosedException>(async () => await IOStream.ConnectAsync("host.invalid", 80));
        Assert.IsType<SocketException>(error.InnerException);
    });

    [Fact]
    public void A_connect_that_is_cancelled_closes_the_stream() => Run(async () =>
    {
        using TestListener listener = new(backlog: 1);
        List<Socket> fillers = listener.FillBacklog();
        using CancellationTokenSource source = new();
        IOStream stream = NewStream();
        Task connect = stream.ConnectAsync(listener.EndPoint, cancellationToken: source.Token).AsTask();
        await Task.Yield();
        Assert.False(connect.IsCompleted);
        source.Cancel();
        OperationCanceledException error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connect);
        Assert.Equal(source.Token, error.CancellationToken);
        Assert.True(stream.IsClosed);
        foreach (Socket filler in fillers) filler.Dispose();
    });

    [Fact]
    public void A_connect_that_was_cancelled_before_does_not_begin() => Run(async () =>
    {
        using TestListener listener = new();
        using IOStream stream = NewStream();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await stream.ConnectAsync(listener.EndPoint, cancellationToken: new CancellationToken(canceled: true)));
    });

    [Fact]
    public void Closing_while_connecting_fails_what_is_pending() => Run(async () =>
    {
        using TestListener listener = new(backlog: 1);
        List<Socket> fillers = listener.FillBacklog();
        IOStream stream = NewStream();
        Task connect = stream.ConnectAsync(listener.EndPoint).AsTask();
        Task complete = stream.CompleteWritesAsync().AsTask();
        Task<byte[]> read = stream.ReadBytesAsync(1).AsTask();
        await Task.Yield();
        stream.Close();
        foreach (Task task in (Task[])[connect, complete, read]) await Assert.ThrowsAsync<StreamClosedException>(() => task);
        foreach (Socket filler in fillers) filler.Dispose();
    });

    [Fact]
    public void Closing_while_a_Unix_socket_waits_for_the_backlog_ends_the_wait() => Run(async () =>
    {
        using TestListener listener = TestListener.OnPath(backlog: 1);
        List<Socket> fillers = listener.FillBacklog();
        IOStream stream = NewUnixStream();
        Task connect = stream.ConnectAsync(listener.Path).AsTask();
        stream.Close();
        await Assert.ThrowsAsync<StreamClosedException>(() => connect);
        foreach (Socket filler in fillers) filler.Dispose();
    });

    [Fact]
    public void A_closed_stream_cannot_be_connected() => Run(async () =>
    {
        IOStream stream = NewStream();
        stream.Close();
        await Assert.ThrowsAsync<StreamClosedException>(async () => await stream.ConnectAsync(new IPEndPoint(IPAddress.Loopback, 1)));
    });

    [Fact]
    public void A_refused_host_lists_the_errors_of_its_addresses() => Run(async () =>
    {
        StreamClosedException one = await Assert.ThrowsAsync<StreamClosedException>(async () => await IOStream.ConnectAsync("127.0.0.1", TestListener.UnusedPort()));
        Assert.Equal(SocketError.ConnectionRefused, Assert.IsType<SocketException>(one.InnerException).SocketErrorCode);
        StreamClosedException all = await Assert.ThrowsAsync<StreamClosedException>(async () => await IOStream.ConnectAsync("localhost", TestListener.UnusedPort()));
        Exception[] errors = all.InnerException is AggregateException several ? [.. several.InnerExceptions] : [all.InnerException!];
        Assert.Equal(Dns.GetHostAddresses("localhost").Length, errors.Length);
        Assert.All(errors, error => Assert.IsType<SocketException>(error));
    });

    [Fact]
    public void A_host_that_does_not_answer_in_time_is_given_up() => RunManually(async () =>
    {
        using TestListener listener = new(backlog: 1);
        List<Socket> fillers = listener.FillBacklog();
        IOStreamOptions options = new() { ConnectTimeout = TimeSpan.FromSeconds(3) };
        Task<IOStream> connect = IOStream.ConnectAsync("127.0.0.1", listener.EndPoint.Port, options).AsTask();
        await Advance(TimeSpan.FromSeconds(2.9));
        Assert.False(connect.IsCompleted);
        await Advance(TimeSpan.FromSeconds(0.1));
        await Assert.ThrowsAsync<TimeoutException>(() => connect);
        foreach (Socket filler in fillers) filler.Dispose();
    });

    [Fact]
    public void A_host_whose_connect_is_cancelled_leaves_nothing() => Run(async () =>
    {
        using TestListener listener = new(backlog: 1);
        List<Socket> fillers = listener.FillBacklog();
        using CancellationTokenSource source = new();
        Task<IOStream> connect = IOStream.ConnectAsync("127.0.0.1", listener.EndPoint.Port, cancellationToken: source.Token).AsTask();
        await Task.Yield();
        source.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connect);
        foreach (Socket filler in fillers) filler.Dispose();
    });

    [Fact]
    public void Arguments_out_of_range_are_refused_by_the_call()
    {
        Assert.IsType<ArgumentNullException>(Record.Exception(() => { _ = IOStream.ConnectAsync(null!, 1); }));
        Assert.IsType<ArgumentException>(Record.Exception(() => { _ = IOStream.ConnectAsync("", 1); }));
        Assert.IsType<ArgumentOutOfRangeException>(Record.Exception(() => { _ = IOStream.ConnectAsync("localhost", 0); }));
        Assert.IsType<ArgumentOutOfRangeException>(Record.Exception(() => { _ = IOStream.ConnectAsync("localhost", 65_536); }));
    }

    private static IOStream NewStream() => new(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));

    private static IOStream NewUnixStream() => new(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
}
