using System.Text;

namespace Waterspout.Tests;

[OnEachPoller]
public sealed class CallbackTests : LoopTest
{
    [Fact]
    public void Callbacks_of_many_threads_run_once_each_on_the_loop_in_the_order_of_their_thread() => Run(async () =>
    {
        const int Threads = 8;
        const int Count = 20_000;
        IOLoop loop = Loop;
        TaskCompletionSource done = new();
        int[] next = new int[Threads];
        int left = Threads * Count;
        int mistakes = 0;
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(number => new Thread(() =>
        {
            for (int i = 0; i < Count; i++)
            {
                int expected = i;
                loop.AddCallback(() =>
                {
                    if (!loop.IsCurrent || next[number]++ != expected) mistakes++;
                    if (--left == 0) done.SetResult();
                });
            }
        }))];
        foreach (Thread thread in threads) thread.Start();
        await done.Task;
        Assert.Equal(0, mistakes);
        Assert.All(next, count => Assert.Equal(Count, count));
    });

    [Fact]
    public void A_callback_that_a_callback_adds_runs_in_the_next_turn() => Run(async () =>
    {
        TaskCompletionSource<(long First, long Second)> turns = new();
        Loop.AddCallback(() =>
        {
            long first = Loop.Turn;
            Loop.AddCallback(() => turns.SetResult((first, Loop.Turn)));
        });
        (long first, long second) = await turns.Task;
        Assert.Equal(first + 1, second);
    });

    [Fact]
    public void A_callback_that_always_adds_itself_does_not_keep_streams_waiting() => Run(async () =>
    {
        bool isOver = false;
        void Again()
        {
            if (!isOver) Loop.AddCallback(Again);
        }

        Again();
        (IOStream first, IOStream second) = IOStream.CreatePair(loop: Loop);
        await first.WriteAsync("ping"u8);
        Assert.Equal("ping", Encoding.ASCII.GetString(await second.ReadBytesAsync(4)));
        isOver = true;
    });

    [Fact]
    public void A_callback_that_throws_is_only_logged() => Run(async () =>
    {
        ExpectLog("A callback on loop");
        TaskCompletionSource next = new();
        Loop.AddCallback(() => throw new InvalidDataException("on purpose"));
        Loop.AddCallback(next.SetResult);
        await next.Task;
        Assert.Single(Log.Lines, line => line.Error is InvalidDataException);
    });

    [Fact]
    public void A_wake_up_is_never_lost() => Check(() =>
    {
        using RunningLoop running = new(Loop);
        using SemaphoreSlim ran = new(0);
        for (int i = 0; i < 10_000; i++)
        {
            running.Loop.AddCallback(() => ran.Release());
            Assert.True(ran.Wait(Limit), $"The wake-up of round {i} was lost.");
        }
    }, options => options.BusyPoll = TimeSpan.Zero);

    [Fact]
    public void A_wake_up_is_never_lost_beside_others() => Check(() =>
    {
        using RunningLoop running = new(Loop);
        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, _ =>
        {
            using SemaphoreSlim ran = new(0);
            for (int i = 0; i < 3_000; i++)
            {
                running.Loop.AddCallback(() => ran.Release());
                Assert.True(ran.Wait(Limit), $"The wake-up of round {i} was lost.");
            }
        });
    });

    [Fact]
    public void An_async_local_that_a_callback_sets_is_not_seen_by_the_next() => Run(async () =>
    {
        AsyncLocal<string?> local = new();
        TaskCompletionSource<string?> seen = new();
        Loop.AddCallback(() => local.Value = "leaked");
        Loop.AddCallback(() => seen.SetResult(local.Value));
        Assert.Null(await seen.Task);
    });

    [Fact]
    public void An_async_local_of_the_caller_does_not_flow_into_a_callback() => Run(async () =>
    {
        AsyncLocal<string?> local = new() { Value = "of the caller" };
        TaskCompletionSource<string?> seen = new();
        Loop.AddCallback(() => seen.SetResult(local.Value));
        Assert.Null(await seen.Task);
        Assert.Equal("of the caller", local.Value);
    });

    [Fact]
    public void An_async_local_that_a_handler_sets_is_not_seen_by_the_next_callback() => Run(async () =>
    {
        AsyncLocal<string?> local = new();
        TaskCompletionSource<string?> seen = new();
        using TestEventFd ready = new();
        Loop.AddHandler(ready.Fd, IOEvents.Read, (fd, _) =>
        {
            Loop.RemoveHandler(fd);
            local.Value = "leaked";
            Loop.AddCallback(() => seen.SetResult(local.Value));
        });
        ready.Signal();
        Assert.Null(await seen.Task);
    });

    [Fact]
    public void InvokeAsync_runs_on_the_loop_and_brings_the_result_back() => Check(() =>
    {
        using RunningLoop running = new(Loop);
        Task<bool> task = running.Loop.InvokeAsync(() => Task.FromResult(running.Loop.IsCurrent));
        Assert.True(task.Wait(Limit));
        Assert.True(task.Result);
        Assert.False(running.Loop.IsCurrent);
    });

    [Fact]
    public void InvokeAsync_brings_errors_and_cancellations_back() => Check(() =>
    {
        using RunningLoop running = new(Loop);
        Task failed = running.Loop.InvokeAsync(() => throw new InvalidDataException("on purpose"));
        Assert.Throws<InvalidDataException>(() => failed.WaitAsync(Limit).GetAwaiter().GetResult());
        Task cancelled = running.Loop.InvokeAsync(() => Task.FromCanceled(new CancellationToken(canceled: true)));
        Assert.Throws<TaskCanceledException>(() => cancelled.WaitAsync(Limit).GetAwaiter().GetResult());
    });

    [Fact]
    public void InvokeAsync_runs_at_once_on_the_loop() => Run(async () =>
    {
        bool hasRun = false;
        Task task = Loop.InvokeAsync(() =>
        {
            hasRun = true;
            return Task.CompletedTask;
        });
        Assert.True(hasRun);
        await task;
    });
}
