using System.Net;
using System.Text;

namespace Waterspout.Tests;

/// <summary>Stopping: handlers are notified, and whatever they do, the stop ends at its limit.</summary>
[OnEachPoller]
public sealed class StopTests : LoopTest
{
    private static readonly TimeSpan s_short = TimeSpan.FromMilliseconds(50);

    [Fact]
    public void Idle_handlers_are_notified_and_may_still_write() => Run(async () =>
    {
        await using TcpServer server = new(async (stream, stopping) =>
        {
            try
            {
                await stream.WriteAsync(await stream.ReadUntilAsync("\n"u8, cancellationToken: stopping), CancellationToken.None);
                await stream.ReadUntilAsync("\n"u8, cancellationToken: stopping);
            }
            catch (OperationCanceledException)
            {
                await stream.WriteAsync("goodbye\n"u8, CancellationToken.None);
            }
        });
        await using IOStream client = await ConnectAsync(server);
        await client.WriteAsync("hello\n"u8);
        await client.ReadUntilAsync("hello\n"u8);
        Assert.False(server.Stopping.IsCancellationRequested);
        Task stop = server.StopAsync(Timeout.InfiniteTimeSpan);
        Assert.True(server.Stopping.IsCancellationRequested);
        Assert.Equal("goodbye\n", Encoding.ASCII.GetString(await client.ReadUntilCloseAsync()));
        client.Close();
        await stop;
    });

    [Fact]
    public void A_handler_that_the_token_ends_has_its_stream_closed_in_good_order() => Run(async () =>
    {
        TaskCompletionSource written = new();
        await using TcpServer server = new(async (stream, stopping) =>
        {
            await stream.WriteAsync("answer\n"u8, CancellationToken.None);
            // More than the system accepts: it is sent while the stream is closed.
            await stream.WriteAsync(new byte[60_000].AsMemory(), CancellationToken.None);
            written.SetResult();
            await stream.ReadBytesAsync(1, cancellationToken: stopping);
        }, new TcpServerOptions { Stream = new IOStreamOptions { WriteHighWaterMark = 1 << 20 } });
        await using IOStream client = await ConnectAsync(server);
        await written.Task;
        Task stop = server.StopAsync(Limit);
        Assert.Equal(60_007, (await client.ReadUntilCloseAsync()).Length);
        Assert.Equal(CloseReason.EndOfStream, client.CloseReason);
        client.Close();
        await stop;
        Assert.DoesNotContain(Log.Lines, line => line.Level >= Microsoft.Extensions.Logging.LogLevel.Information && line.Message.Contains("handler"));
    });

    [Fact]
    public void A_subclass_also_gets_the_token() => Run(async () =>
    {
        await using WaitingServer server = new();
        await using IOStream client = await ConnectAsync(server);
        await client.ReadBytesAsync(1);
        Task stop = server.StopAsync(Timeout.InfiniteTimeSpan);
        Assert.Empty(await client.ReadUntilCloseAsync());
        client.Close();
        await stop;
    });

    [Fact]
    public void A_handler_that_never_ends_does_not_hold_the_stop() => Run(async () =>
    {
        ExpectLog("2 handlers still run");
        TaskCompletionSource never = new();
        await using TcpServer server = new(async stream =>
        {
            await stream.WriteAsync("."u8);
            await never.Task;
        });
        EndPoint address = server.Listen(0, "127.0.0.1");
        await using IOStream first = await ConnectAsync(address), second = await ConnectAsync(address);
        await first.ReadBytesAsync(1);
        await second.ReadBytesAsync(1);
        await server.StopAsync(s_short);
        Assert.Equal(2, server.ConnectionCount);
        Assert.Empty(await first.ReadUntilCloseAsync());
        never.SetResult();
        while (server.ConnectionCount > 0) await Turn();
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_handler_may_await_the_stop_of_its_server(bool isDispose) => Run(async () =>
    {
        ExpectLog("1 handlers still run");
        TaskCompletionSource stopped = new();
        TcpServer server = null!;
        server = new TcpServer(async stream =>
        {
            await stream.ReadUntilAsync("\n"u8);
            if (isDispose) await server.DisposeAsync();
            else await server.StopAsync(s_short);
            stopped.SetResult();
        });
        await using IOStream client = await ConnectAsync(server);
        await client.WriteAsync("shutdown\n"u8);
        await stopped.Task;
        while (server.ConnectionCount > 0) await Turn();
    });

    [Fact]
    public void A_handler_that_blocks_its_loop_does_not_hold_the_stop() => Check(() =>
    {
        ExpectLog("1 handlers still run");
        using ManualResetEventSlim blocked = new(), released = new();
        using (IOLoopGroup group = new(1, new IOLoopOptions { Poller = Poller, LoggerFactory = Log, StallThreshold = Timeout.InfiniteTimeSpan }))
        {
            TcpServer server = new(_ =>
            {
                blocked.Set();
                released.Wait();
                return Task.CompletedTask;
            }, new TcpServerOptions { Loops = group });
            EndPoint address = server.Listen(0, "127.0.0.1");
            Loop.RunSync(async () =>
            {
                await using IOStream client = await ConnectAsync(address);
                await Task.Run(blocked.Wait);
                await server.StopAsync(s_short);
                released.Set();
                await client.ReadUntilCloseAsync();
                while (server.ConnectionCount > 0) await Turn();
            }, Limit);
        }
    });

    [Fact]
    public void Cancelling_ends_the_drain() => Run(async () =>
    {
        CloseReason reason = CloseReason.None;
        await using TcpServer server = new(async stream =>
        {
            await stream.WriteAsync("."u8);
            reason = (await Assert.ThrowsAsync<StreamClosedException>(() => stream.ReadBytesAsync(1).AsTask())).Reason;
        });
        await using IOStream client = await ConnectAsync(server);
        await client.ReadBytesAsync(1);
        using CancellationTokenSource host = new();
        Task stop = server.StopAsync(Timeout.InfiniteTimeSpan, host.Token);
        await Turns(3);
        Assert.False(stop.IsCompleted);
        host.Cancel();
        await stop;
        Assert.Equal(CloseReason.Local, reason);
        await server.StopAsync(TimeSpan.MaxValue, new CancellationToken(canceled: true));
    });

    [Fact]
    public void A_second_stop_may_be_shorter_than_the_first() => Run(async () =>
    {
        await using TcpServer server = new(async stream =>
        {
            await stream.WriteAsync("."u8);
            await stream.ReadUntilCloseAsync();
        });
        await using IOStream client = await ConnectAsync(server);
        await client.ReadBytesAsync(1);
        Task first = server.StopAsync(TimeSpan.MaxValue), second = server.StopAsync(TimeSpan.Zero);
        await Task.WhenAll(first, second);
        Assert.Equal(0, server.ConnectionCount);
    });

    [Fact]
    public void A_stop_on_another_thread_resumes_off_the_loop() => Run(async () =>
    {
        TaskCompletionSource end = new();
        await using TcpServer server = new(async stream =>
        {
            await stream.WriteAsync("."u8);
            await end.Task;
        });
        await using IOStream client = await ConnectAsync(server);
        await client.ReadBytesAsync(1);
        Task<bool> isOnLoop = Task.Run(async () =>
        {
            await server.StopAsync(Limit);
            return Loop.IsCurrent;
        });
        while (!server.Stopping.IsCancellationRequested) await Turn();
        await Turns(3);
        end.SetResult();
        client.Close();
        Assert.False(await isOnLoop);
    });

    [Fact]
    public void What_a_callback_of_the_token_throws_is_logged_and_does_not_hold_the_stop() => Run(async () =>
    {
        ExpectLog("registered with the server's Stopping token failed");
        await using TcpServer server = new(_ => Task.CompletedTask);
        server.Stopping.Register(() => throw new InvalidDataException("on purpose"));
        await server.StopAsync(Limit);
        while (!Log.Lines.Any(line => line.Message.Contains("Stopping token failed"))) await Turn();
    }, options => options.UnhandledException = null);

    [Fact]
    public void A_negative_drain_is_refused_by_the_call_and_stops_nothing() => Run(async () =>
    {
        await using TcpServer server = new(stream => stream.WriteAsync("."u8).AsTask());
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = server.StopAsync(TimeSpan.FromMilliseconds(-2)); });
        await using IOStream client = await ConnectAsync(server);
        await client.ReadBytesAsync(1);
    });

    private static ValueTask<IOStream> ConnectAsync(TcpServer server) => ConnectAsync(server.Listen(0, "127.0.0.1"));

    private static ValueTask<IOStream> ConnectAsync(EndPoint address) => IOStream.ConnectAsync("127.0.0.1", ((IPEndPoint)address).Port);

    private sealed class WaitingServer : TcpServer
    {
        protected override async Task HandleStreamAsync(IOStream stream)
        {
            await stream.WriteAsync("."u8);
            await stream.ReadUntilCloseAsync(Stopping);
        }
    }
}
