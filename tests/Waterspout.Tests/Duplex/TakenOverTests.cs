using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net.Security;
using System.Net.Sockets;
using Waterspout.Tests.Tls;

namespace Waterspout.Tests.Duplex;

/// <summary>A connection that has taken over a descriptor, where it meets servers, TLS of the platform, starved pools and the end of a loop.</summary>
[OnEachPoller]
public sealed class TakenOverTests : LoopTest
{
    [Fact]
    public void A_server_closes_what_its_handler_has_left_open() => Run(async () =>
    {
        await using TcpServer server = new(async stream =>
        {
            IDuplexPipe pipe = stream.AsDuplexPipe();
            "answer"u8.CopyTo(pipe.Output.GetSpan(6));
            pipe.Output.Advance(6);
            await Task.Yield();
        });
        int port = ((System.Net.IPEndPoint)server.Listen(0, "127.0.0.1")).Port;
        using IOStream client = await IOStream.ConnectAsync("127.0.0.1", port);
        Assert.Equal("answer"u8.ToArray(), await client.ReadUntilCloseAsync());
    });

    [Fact]
    public void The_end_of_the_loop_ends_a_pending_read() => Check(() =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        Task<ReadResult> read = null!;
        IOLoop loop = new(new IOLoopOptions { Poller = Poller, LoggerFactory = Log });
        loop.RunSync(() =>
        {
            read = new IOStream(right, loop: loop).AsDuplexPipe().Input.ReadAsync().AsTask();
            return Task.CompletedTask;
        });
        loop.Dispose();
        Assert.IsType<StreamClosedException>(Assert.Throws<AggregateException>(() => read.Wait(Limit)).InnerException);
        left.Dispose();
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_end_of_a_servers_loop_is_no_failure_of_its_handlers(bool asPipe) => Run(async () =>
    {
        for (int i = 0; i < 5; i++)
        {
            TaskCompletionSource begun = new();
            ConcurrentQueue<Exception> unhandled = [];
            using IOLoopGroup group = new(1, new IOLoopOptions { Poller = Poller, LoggerFactory = Log, UnhandledException = unhandled.Enqueue });
            await using TcpServer server = new(
                async stream =>
                {
                    begun.SetResult();
                    if (asPipe) await stream.AsDuplexPipe().Input.ReadAsync();
                    else await stream.AsStream().ReadExactlyAsync(new byte[1]);
                },
                new TcpServerOptions { Loops = group });
            int port = ((System.Net.IPEndPoint)server.Listen(0, "127.0.0.1")).Port;
            using IOStream client = await IOStream.ConnectAsync("127.0.0.1", port);
            await begun.Task;
            group.Dispose();
            while (server.ConnectionCount > 0) await Turn();
            Assert.Empty(unhandled);
        }
    });

    [Fact]
    public void A_take_over_that_comes_after_a_close_reports_the_close() => Run(() => Task.Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        IOStream stream = new(right, loop: Loop);
        using ManualResetEventSlim isBlocked = new(), isTakenOver = new();
        Task closed = Loop.InvokeAsync(() =>
        {
            isBlocked.Set();
            isTakenOver.Wait();
            stream.Close();
            return Task.CompletedTask;
        });
        isBlocked.Wait();
        Stream taken = stream.AsStream();
        isTakenOver.Set();
        await closed;
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(async () => await taken.ReadExactlyAsync(new byte[1]));
        Assert.Equal(CloseReason.Local, error.Reason);
        Assert.Null(error.InnerException);
        left.Dispose();
    }));

    [Fact]
    public void A_stream_that_was_taken_over_says_so_on_every_thread() => Run(() => Task.Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        IOStream stream = new(right, loop: Loop);
        await using Stream taken = stream.AsStream();
        await Loop.InvokeAsync(() => Task.CompletedTask);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await stream.WriteAsync("x"u8));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await stream.ReadBytesAsync(1));
        Assert.Throws<InvalidOperationException>(() => stream.Write("x"u8));
        left.Dispose();
    }));

    [Fact]
    public void A_synchronous_read_needs_no_thread_of_the_pool() => Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        using Stream stream = new IOStream(right, loop: Loop).AsStream();
        using ManualResetEventSlim release = new();
        int blocked = 0;
        ThreadPool.GetMinThreads(out int workers, out _);
        for (int i = 0; i < workers; i++)
        {
            _ = Task.Run(() =>
            {
                Interlocked.Increment(ref blocked);
                release.Wait();
            });
        }

        TaskCompletionSource<int> done = new();
        Thread reader = new(() => done.SetResult(stream.Read(new byte[10], 0, 10)));
        reader.Start();
        while (Volatile.Read(ref blocked) < workers) await Turn();
        left.Send("abc"u8);
        Assert.Equal(3, await done.Task);
        release.Set();
        left.Dispose();
    });

    [Fact]
    public void The_platforms_TLS_runs_on_top() => Run(() => Task.Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        await using SslStream client = new(new IOStream(left, loop: Loop).AsStream());
        await using SslStream server = new(new IOStream(right, loop: Loop).AsStream());
        await Task.WhenAll(
            client.AuthenticateAsClientAsync(TestCertificates.ClientOptions()),
            server.AuthenticateAsServerAsync(TestCertificates.ServerOptions()));
        byte[] data = new byte[1_000_000];
        new Random(1).NextBytes(data);
        Task writing = client.WriteAsync(data).AsTask();
        byte[] read = new byte[data.Length];
        await server.ReadExactlyAsync(read);
        await writing;
        Assert.True(read.AsSpan().SequenceEqual(data));
        await client.ShutdownAsync();
        Assert.Equal(0, await server.ReadAsync(read.AsMemory()));
    }));
}
