using System.Net;

namespace Waterspout.Tests;

/// <summary>Whatever blocks the loop is named while it does.</summary>
/// <remarks>The tests check in the watchdog's place: twice, since what is seen once may be over soon.</remarks>
[OnEachPoller]
public sealed class BlockedLoopTests : LoopTest
{
    private const int Much = 8 << 20;

    private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _gate = new();

    [Fact]
    public void A_callback() => Blocks(nameof(HoldInCallback), loop => loop.AddCallback(HoldInCallback));

    [Fact]
    public void A_lambda_by_the_method_around_it() => Blocks($"{nameof(A_lambda_by_the_method_around_it)} (lambda)", loop => loop.AddCallback(() => Hold()));

    [Fact]
    public void A_timer() => Blocks(nameof(HoldInCallback), loop => loop.CallLater(TimeSpan.Zero, HoldInCallback));

    [Fact]
    public void A_timer_that_repeats() => Blocks(nameof(HoldInCallback), loop => loop.CallEvery(TimeSpan.FromMilliseconds(1), HoldInCallback));

    [Fact]
    public void A_call_from_another_thread() => Blocks(nameof(HoldAtOnce), loop => loop.InvokeAsync(HoldAtOnce));

    [Fact]
    public void A_call_that_goes_on_after_an_await() => Blocks(nameof(HoldAfterYield), loop => loop.InvokeAsync(HoldAfterYield));

    [Fact]
    public void A_local_function_by_the_method_around_it()
    {
        Blocks($"{nameof(A_local_function_by_the_method_around_it)}.GoOn", loop => loop.InvokeAsync(GoOn));

        async Task GoOn()
        {
            await Task.Yield();
            Hold();
        }
    }

    [Fact]
    public void The_main_of_a_run_with_a_time_limit() =>
        Blocks(nameof(HoldAtOnce), loop => Task.Run(() => Record.Exception(() => loop.RunSync(HoldAtOnce, TimeSpan.FromSeconds(5)))));

    [Fact]
    public void The_handler_of_a_descriptor()
    {
        using TestEventFd ready = new();
        Blocks(nameof(HoldInHandler), loop =>
        {
            loop.AddHandler(ready.Fd, IOEvents.Read, HoldInHandler);
            ready.Signal();
        });

        void HoldInHandler(int fd, IOEvents events)
        {
            Loop.RemoveHandler(fd);
            Hold();
        }
    }

    [Fact]
    public void What_runs_after_a_read() => Blocks(nameof(ReadAndHold), loop => Converse(loop, ReadAndHold));

    [Fact]
    public void What_runs_after_a_read_that_failed() => Blocks(nameof(IOStream), loop =>
    {
        (IOStream near, IOStream far) = IOStream.CreatePair(loop: loop);
        loop.InvokeAsync(() => ReadAndHold(near));
        far.Close();
    });

    [Fact]
    public void The_callback_of_a_read() => Blocks(nameof(HoldWithData), loop => Converse(loop, stream =>
    {
        stream.ReadBytes(1, HoldWithData);
        return Task.CompletedTask;
    }));

    [Fact]
    public void The_callback_of_a_read_that_was_ready() => Blocks(nameof(HoldWithData), loop => Converse(loop, async stream =>
    {
        await stream.PeekAsync(1);
        stream.ReadBytes(1, HoldWithData);
    }));

    [Fact]
    public void The_callback_of_a_close() => Blocks(nameof(HoldInCallback), loop =>
    {
        (IOStream near, _) = IOStream.CreatePair(loop: loop);
        near.SetCloseCallback(HoldInCallback);
        near.Close();
    });

    [Fact]
    public void The_callback_of_a_close_by_the_end_of_the_loop() => Check(() =>
    {
        ExpectLog("has held loop");
        (IOStream near, _) = IOStream.CreatePair(loop: Loop);
        near.SetCloseCallback(HoldInCallback);
        Thread ending = new(Loop.Dispose);
        LookWhileHeld(2, _ => ending.Start());
        Assert.True(ending.Join(Limit));
        Assert.Contains(nameof(HoldInCallback), Log.Lines.Single(line => line.Message.Contains("has held loop")).Message);
    }, Measure);

    [Fact]
    public void What_runs_after_a_write() => Blocks(nameof(WriteAndHold), loop =>
    {
        (IOStream near, IOStream far) = IOStream.CreatePair(loop: loop);
        loop.InvokeAsync(() => WriteAndHold(near));
        far.ReadBytes(Much, _ => { });
    });

    [Theory]
    [InlineData(nameof(HoldAtOnce))]
    [InlineData(nameof(ReadAndHold))]
    public void The_handler_of_a_server(string name) => Blocks(name, loop => loop.InvokeAsync(async () =>
    {
        TcpServer server = new(name == nameof(HoldAtOnce) ? HoldAtOnce : ReadAndHold);
        IOStream client = await IOStream.ConnectAsync("127.0.0.1", ((IPEndPoint)server.Listen(0, "127.0.0.1")).Port);
        await client.WriteAsync("x"u8);
        await _gate.Task;
        await server.DisposeAsync();
        client.Close();
    }));

    [Fact]
    public void Not_what_a_loop_ran_before_it_waits() => Check(() =>
    {
        using RunningLoop running = new(Loop);
        Assert.True(Loop.InvokeAsync(() => Task.CompletedTask).Wait(Limit));
        Assert.True(SpinWait.SpinUntil(() => Loop.Running is null, Limit));
        for (int i = 0; i < 3; i++) Loop.Watchdog!.Look();
        Assert.DoesNotContain(Log.Lines, line => line.Message.Contains("has held loop"));
    }, Measure);

    [Fact]
    public void What_is_seen_once_is_not_named() => Check(() =>
    {
        using RunningLoop running = new(Loop);
        LookWhileHeld(1, loop => loop.AddCallback(Hold));
        Assert.DoesNotContain(Log.Lines, line => line.Message.Contains("has held loop"));
    }, Measure);

    [Fact]
    public void A_long_stall_is_logged_again_at_doubling_intervals() => Check(() =>
    {
        ExpectLog("has held loop");
        using RunningLoop running = new(Loop);
        LookWhileHeld(1 + 8, loop => loop.AddCallback(Hold));
        Assert.Equal(4, Log.Lines.Count(line => line.Message.Contains("has held loop")));
    }, Measure);

    private static void Measure(IOLoopOptions options) => options.StallThreshold = TimeSpan.FromHours(1);

    private static void Converse(IOLoop loop, Func<IOStream, Task> handle)
    {
        (IOStream near, IOStream far) = IOStream.CreatePair(loop: loop);
        loop.InvokeAsync(() => handle(near));
        far.Write("x"u8); // after it: the read has to wait
    }

    private void Blocks(string name, Action<IOLoop> begin) => Check(() =>
    {
        ExpectLog("has held loop");
        using RunningLoop running = new(Loop);
        LookWhileHeld(2, begin);
        LogLine line = Log.Lines.Single(line => line.Message.Contains("has held loop"));
        Assert.Contains(name, line.Message);
        Assert.True(line.Message.Contains(GetType().FullName!) || name == nameof(IOStream), line.Message);
    }, Measure);

    private void LookWhileHeld(int times, Action<IOLoop> begin)
    {
        try
        {
            begin(Loop);
            Assert.True(_entered.Task.Wait(Limit));
            for (int i = 0; i < times; i++) Loop.Watchdog!.Look();
        }
        finally
        {
            _gate.SetResult();
        }
    }

    // The usual way to block a loop that waits for itself: with a task that it would have to complete.
    private void Hold()
    {
        _entered.TrySetResult();
        _gate.Task.Wait();
    }

    private void HoldInCallback() => Hold();

    private void HoldWithData(byte[] data) => Hold();

    private Task HoldAtOnce()
    {
        Hold();
        return Task.CompletedTask;
    }

    private Task HoldAtOnce(IOStream stream) => HoldAtOnce();

    private async Task HoldAfterYield()
    {
        await Task.Yield();
        Hold();
    }

    private async Task ReadAndHold(IOStream stream)
    {
        try
        {
            await stream.ReadBytesAsync(1);
        }
        catch (StreamClosedException)
        {
            // One test reads to the end.
        }

        Hold();
    }

    private async Task WriteAndHold(IOStream stream)
    {
        await stream.WriteAsync(new byte[Much]);
        Hold();
    }
}
