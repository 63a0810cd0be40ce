namespace Waterspout.Tests;

[OnEachPoller]
public sealed class RunningTests : LoopTest
{
    [Fact]
    public void RunSync_returns_the_result_of_main_which_runs_on_the_loop() => Check(() =>
    {
        (bool isOnLoop, int thread) = Loop.RunSync(async () =>
        {
            await Task.Yield();
            return (Loop.IsCurrent, Environment.CurrentManagedThreadId);
        }, Limit);
        Assert.True(isOnLoop);
        Assert.Equal(Environment.CurrentManagedThreadId, thread);
        Assert.False(Loop.IsCurrent);
    });

    [Fact]
    public void RunSync_throws_what_main_throws() => Check(() =>
    {
        InvalidDataException error = new("on purpose");
        Assert.Same(error, Assert.Throws<InvalidDataException>(() => Loop.RunSync(() => throw error, Limit)));
        Assert.Same(error, Assert.Throws<InvalidDataException>(() => Loop.RunSync(async () =>
        {
            await Task.Yield();
            throw error;
        }, Limit)));
    });

    [Fact]
    public void RunSync_throws_when_the_time_is_up_and_the_loop_can_be_used_again() => Check(() =>
    {
        TaskCompletionSource never = new();
        Assert.Throws<TimeoutException>(() => Loop.RunSync(() => never.Task, TimeSpan.FromMilliseconds(1)));
        Assert.Equal(5, Loop.RunSync(() => Task.FromResult(5), Limit));
    });

    [Fact]
    public void RunSync_ends_when_main_ends_on_another_thread() => Check(() =>
        Assert.Equal(7, Loop.RunSync(() => Task.Run(() => 7), Limit)));

    [Fact]
    public void RunSync_on_a_loop_that_runs_elsewhere_runs_main_there() => Check(() =>
    {
        using RunningLoop running = new(Loop);
        Assert.True(running.Loop.RunSync(() => Task.FromResult(running.Loop.IsCurrent), Limit));
        Assert.Throws<TimeoutException>(() => running.Loop.RunSync(() => new TaskCompletionSource().Task, TimeSpan.FromMilliseconds(1)));
    });

    [Fact]
    public void RunSync_that_waits_for_another_one_runs_the_loop_itself_when_that_has_ended() => Check(() =>
    {
        IOLoop loop = Loop;
        using ManualResetEventSlim isRunning = new();
        TaskCompletionSource firstMayEnd = new();
        Thread first = new(() => loop.RunSync(() =>
        {
            isRunning.Set();
            return firstMayEnd.Task;
        }, Limit));
        first.Start();
        Assert.True(isRunning.Wait(Limit));
        int five = loop.RunSync(async () =>
        {
            firstMayEnd.SetResult();
            await Task.Run(() => Assert.True(first.Join(Limit)));
            return 5;
        }, Limit);
        Assert.Equal(5, five);
    });

    [Fact]
    public void RunSync_of_many_threads_at_a_time() => Check(() =>
    {
        IOLoop loop = Loop;
        int sum = 0;
        Thread[] threads = [.. Enumerable.Range(0, 8).Select(i => new Thread(() =>
        {
            for (int turn = 0; turn < 50; turn++) Interlocked.Add(ref sum, loop.RunSync(async () => { await Turn(loop, turn % 3); return 1; }, Limit));
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) Assert.True(thread.Join(Limit));
        Assert.Equal(400, sum);

        static async Task Turn(IOLoop loop, int count)
        {
            for (int i = 0; i < count; i++)
            {
                TaskCompletionSource next = new();
                loop.AddCallback(next.SetResult);
                await next.Task;
            }
        }
    });

    [Fact]
    public void RunSync_on_the_loop_itself_is_refused() => Run(() =>
    {
        Assert.Throws<InvalidOperationException>(() => Loop.RunSync(() => Task.CompletedTask));
        return Task.CompletedTask;
    });

    [Fact]
    public void A_loop_within_a_loop_is_refused_and_the_outer_one_keeps_running() => Run(async () =>
    {
        using IOLoop inner = new();
        Assert.Throws<InvalidOperationException>(inner.Start);
        Assert.Throws<InvalidOperationException>(() => inner.RunSync(() => Task.CompletedTask));
        Assert.Same(Loop, IOLoop.Current);
        await Task.Yield();
        Assert.True(Loop.IsCurrent);
    });

    [Fact]
    public void A_loop_that_runs_cannot_be_started_on_another_thread() => Check(() =>
    {
        using RunningLoop running = new(Loop);
        Assert.Throws<InvalidOperationException>(running.Loop.Start);
        Assert.Throws<InvalidOperationException>(() => running.Loop.RunSync(() =>
        {
            running.Loop.Start();
            return Task.CompletedTask;
        }, Limit));
    });

    [Fact]
    public void Stop_ends_Start_and_the_loop_can_be_started_again() => Check(() =>
    {
        List<int> order = [];
        for (int i = 0; i < 3; i++)
        {
            int round = i;
            Loop.AddCallback(() =>
            {
                order.Add(round);
                Loop.Stop();
            });
            Loop.Start();
        }

        Assert.Equal([0, 1, 2], order);
    });

    [Fact]
    public void A_stop_that_came_first_lets_Start_make_one_turn() => Check(() =>
    {
        bool hasRun = false;
        Loop.AddCallback(() => hasRun = true);
        Loop.Stop();
        Loop.Start();
        Assert.True(hasRun);
    });

    [Fact]
    public void Streams_stay_open_over_a_stop() => Check(() =>
    {
        (IOStream first, IOStream second) = Loop.RunSync(() => Task.FromResult(IOStream.CreatePair()), Limit);
        Loop.RunSync(() => first.WriteAsync("kept"u8).AsTask(), Limit);
        byte[] received = Loop.RunSync(() => second.ReadBytesAsync(4).AsTask(), Limit);
        Assert.Equal("kept"u8, received);
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Stop_ends_RunSync_with_an_error(bool isFromElsewhere) => Check(() =>
    {
        IOLoop loop = Loop;
        TaskCompletionSource never = new();
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => loop.RunSync(async () =>
        {
            await Task.Yield();
            if (isFromElsewhere) _ = Task.Run(loop.Stop);
            else loop.Stop();
            await never.Task;
        }, Limit));
        Assert.Contains("stopped", error.Message);
        // The later outcome of main is ignored, and the loop can be used again.
        never.SetException(new InvalidDataException("on purpose"));
        Assert.Equal(5, loop.RunSync(() => Task.FromResult(5), Limit));
    });

    [Fact]
    public void RunSync_whose_main_stops_the_loop_and_ends_has_its_result() => Check(() =>
        Assert.Equal(5, Loop.RunSync(() =>
        {
            Loop.Stop();
            return Task.FromResult(5);
        }, Limit)));

    [Fact]
    public void A_stop_that_came_first_lets_RunSync_make_one_turn() => Check(() =>
    {
        Loop.Stop();
        Assert.Throws<InvalidOperationException>(() => Loop.RunSync(() => new TaskCompletionSource().Task, Limit));
        Loop.Stop();
        Assert.Equal(5, Loop.RunSync(() => Task.FromResult(5), Limit));
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Ending_a_loop_that_runs_on_another_thread_ends_a_RunSync_of_this_one(bool isDisposed) => Check(() =>
    {
        IOLoop loop = Loop;
        using RunningLoop running = new(loop);
        using ManualResetEventSlim begun = new();
        Task caller = Task.Run(() => loop.RunSync(() =>
        {
            begun.Set();
            return new TaskCompletionSource().Task;
        }));
        Assert.True(begun.Wait(Limit));
        if (isDisposed) loop.Dispose();
        else loop.Stop();
        Exception? error = Record.Exception(() => caller.WaitAsync(Limit).GetAwaiter().GetResult());
        Assert.IsType(isDisposed ? typeof(ObjectDisposedException) : typeof(InvalidOperationException), error);
    });

    [Fact]
    public void A_main_whose_RunSync_was_refused_does_not_run_later() => Run(async () =>
    {
        bool hasRun = false;
        using (IOLoop inner = new(new IOLoopOptions { Poller = Poller }))
        {
            Assert.Throws<InvalidOperationException>(() => inner.RunSync(() =>
            {
                hasRun = true;
                return Task.CompletedTask;
            }));
            await Task.Run(inner.Dispose);
        }

        Assert.False(hasRun);
    });

    [Fact]
    public void A_loop_that_has_nothing_to_do_makes_no_turns() => Run(async () =>
    {
        long before = Loop.Counters.Turns;
        TaskCompletionSource later = new();
        Loop.CallLater(TimeSpan.FromMilliseconds(30), later.SetResult);
        await later.Task;
        Assert.InRange(Loop.Counters.Turns - before, 0, 100);
    });
}
