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
