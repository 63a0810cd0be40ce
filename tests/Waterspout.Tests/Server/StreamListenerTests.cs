using System.Net;
using System.Net.Sockets;

namespace Waterspout.Tests;

/// <summary>Accepting one connection at a time.</summary>
[OnEachPoller]
public sealed class StreamListenerTests : LoopTest
{
    [Fact]
    public void Each_call_accepts_one_connection_in_order() => Run(async () =>
    {
        await using StreamListener listener = Make();
        for (int i = 0; i < 3; i++)
        {
            await using IOStream client = await ConnectAsync(listener);
            await using IOStream accepted = await listener.AcceptAsync();
            Assert.Equal(client.LocalEndPoint, accepted.RemoteEndPoint);
            await accepted.WriteLineAsync("hello");
            Assert.Equal("hello", await client.ReadLineAsync());
        }
    });

    [Fact]
    public void Calls_that_wait_are_served_in_their_order() => Run(async () =>
    {
        await using StreamListener listener = Make();
        ValueTask<IOStream> first = listener.AcceptAsync(), second = listener.AcceptAsync();
        await using IOStream one = await ConnectAsync(listener);
        await using IOStream firstStream = await first;
        Assert.Equal(one.LocalEndPoint, firstStream.RemoteEndPoint);
        Assert.False(second.IsCompleted);
        await using IOStream two = await ConnectAsync(listener);
        await using IOStream secondStream = await second;
        Assert.Equal(two.LocalEndPoint, secondStream.RemoteEndPoint);
    });

    [Fact]
    public void A_cancelled_call_loses_no_connection() => Run(async () =>
    {
        await using StreamListener listener = Make();
        using CancellationTokenSource source = new();
        ValueTask<IOStream> cancelled = listener.AcceptAsync(source.Token);
        ValueTask<IOStream> next = listener.AcceptAsync();
        source.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await cancelled);
        await using IOStream client = await ConnectAsync(listener);
        await using IOStream accepted = await next;
        Assert.Equal(client.LocalEndPoint, accepted.RemoteEndPoint);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await listener.AcceptAsync(source.Token));
    });

    [Fact]
    public void Without_a_call_connections_stay_in_the_backlog() => Run(async () =>
    {
        await using StreamListener listener = Make();
        await using IOStream client = await ConnectAsync(listener);
        OpenDescriptors descriptors = new();
        await Turns(10);
        descriptors.CheckNothingIsLeft();
        await using IOStream accepted = await listener.AcceptAsync();
    });

    [Fact]
    public void Disposing_ends_calls_that_wait_and_leaves_accepted_streams_open() => Run(async () =>
    {
        StreamListener listener = Make();
        await using IOStream client = await ConnectAsync(listener);
        await using IOStream accepted = await listener.AcceptAsync();
        ValueTask<IOStream> waiting = listener.AcceptAsync();
        listener.Dispose();
        Assert.False(waiting.IsCompleted); // no user code runs inside the call
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await waiting);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await listener.AcceptAsync());
        await Assert.ThrowsAsync<StreamClosedException>(async () => await ConnectAsync(listener));
        await accepted.WriteLineAsync("still open");
        Assert.Equal("still open", await client.ReadLineAsync());
    });

    [Fact]
    public void It_may_be_used_from_any_thread() => Run(() => Task.Run(async () =>
    {
        await using StreamListener listener = new(new IPEndPoint(IPAddress.Loopback, 0), loop: Loop);
        ValueTask<IOStream> accept = listener.AcceptAsync();
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.LocalEndPoint);
        using IOStream accepted = await accept;
        Assert.Same(Loop, accepted.Loop);
        Assert.False(Loop.IsCurrent);
    }));

    [Fact]
    public void The_end_of_the_loop_ends_calls_that_wait()
    {
        Task<IOStream> waiting = Task.FromResult<IOStream>(null!);
        Run(() =>
        {
            StreamListener listener = Make();
            waiting = listener.AcceptAsync().AsTask();
            return Task.CompletedTask;
        });
        Assert.True(waiting.IsFaulted);
        Assert.IsType<ObjectDisposedException>(waiting.Exception!.InnerException);
    }

    [Fact]
    public void A_stream_that_cannot_be_made_fails_its_call_and_no_other() => Run(async () =>
    {
        int count = 0;
        await using StreamListener listener = new(new IPEndPoint(IPAddress.Loopback, 0), new IOStreamOptions
        {
            ConfigureSocket = _ =>
            {
                if (++count == 1) throw new InvalidDataException("on purpose");
            },
        });
        await using IOStream one = await IOStream.ConnectAsync("127.0.0.1", ((IPEndPoint)listener.LocalEndPoint).Port);
        await Assert.ThrowsAsync<InvalidDataException>(async () => await listener.AcceptAsync());
        await using IOStream two = await IOStream.ConnectAsync("127.0.0.1", ((IPEndPoint)listener.LocalEndPoint).Port);
        await using IOStream accepted = await listener.AcceptAsync();
    });

    [Fact]
    public void It_listens_on_paths_and_on_given_sockets() => Run(async () =>
    {
        UnixDomainSocketEndPoint path = TestListener.NewPath();
        await using StreamListener onPath = new(path);
        await using IOStream local = new(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
        await local.ConnectAsync(path);
        await using IOStream acceptedLocal = await onPath.AcceptAsync();

        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await using StreamListener given = new(socket);
        await using IOStream client = await ConnectAsync(given);
        await using IOStream accepted = await given.AcceptAsync();
    });

    [Fact]
    public void Bad_arguments_are_refused_by_the_constructor() => Run(async () =>
    {
        IPEndPoint any = new(IPAddress.Loopback, 0);
        Assert.Throws<ArgumentNullException>(() => new StreamListener((EndPoint)null!));
        Assert.Throws<ArgumentException>(() => new StreamListener(new DnsEndPoint("localhost", 80)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new StreamListener(any, backlog: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new StreamListener(any, new IOStreamOptions { ReadChunkSize = 0 }));
        await using StreamListener first = new(any);
        Assert.Throws<SocketException>(() => new StreamListener(first.LocalEndPoint));
    });

    private static StreamListener Make() => new(new IPEndPoint(IPAddress.Loopback, 0));

    private static ValueTask<IOStream> ConnectAsync(StreamListener listener) => IOStream.ConnectAsync("127.0.0.1", ((IPEndPoint)listener.LocalEndPoint).Port);
}
