namespace Waterspout.Tests;

[OnEachPoller]
public sealed class TimerTests : ManualLoopTest
{
    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);

    [Fact]
    public void Timers_run_in_the_order_of_their_times_and_not_before() => RunManually(async () =>
    {
        List<int> order = [];
        foreach (int seconds in (int[])[3, 1, 2]) Loop.CallLater(seconds * s_second, () => order.Add(seconds));
        await Advance(s_second - TimeSpan.FromTicks(1));
        Assert.Empty(order);
        await Advance(TimeSpan.FromTicks(1));
        Assert.Equal([1], order);
        await Advance(5 * s_second);
        Assert.Equal([1, 2, 3], order);
    });

    [Fact]
    public void Timers_of_equal_time_run_in_the_order_in_which_they_were_made() => RunManually(async () =>
    {
        List<int> order = [];
        for (int i = 0; i < 100; i++)
        {
            int number = i;
            Loop.CallLater(s_second, () => order.Add(number));
        }

        await Advance(s_second);
        Assert.Equal(Enumerable.Range(0, 100), order);
    });

    [Fact]
    public void A_timer_that_a_callback_cancels_does_not_run() => RunManually(async () =>
    {
        bool hasRun = false;
        IDisposable? second = null;
        Loop.CallLater(s_second, () => second!.Dispose());
        second = Loop.CallLater(s_second, () => hasRun = true);
        await Advance(2 * s_second);
        Assert.False(hasRun);
    });

    [Fact]
    public void A_timer_that_another_thread_cancels_does_not_run() => RunManually(async () =>
    {
        bool hasRun = false;
        IDisposable timer = Loop.CallLater(s_second, () => hasRun = true);
        await Task.Run(timer.Dispose);
        await Advance(2 * s_second);
        Assert.False(hasRun);
        timer.Dispose();
    });

    [Fact]
    public void A_timer_that_another_thread_makes_and_cancels_at_once_does_not_run() => RunManually(async () =>
    {
        bool hasRun = false;
        IOLoop loop = Loop;
        await Task.Run(() => loop.CallLater(s_second, () => hasRun = true).Dispose());
        await Advance(2 * s_second);
        Assert.False(hasRun);
    });

    [Fact]
    public void A_cancelled_timer_is_taken_out_at_once() => RunManually(() =>
    {
        IDisposable[] timers = [.. Enumerable.Range(0, 1_000).Select(i => Loop.CallLater(i * s_second, () => { }))];
        Assert.Equal(1_000, Loop.TimerCount);
        foreach (IDisposable timer in timers) timer.Dispose();
        Assert.Equal(0, Loop.TimerCount);
        return Task.CompletedTask;
    });

    [Theory]
    [InlineData(0L)]
    [InlineData(-1L)]
    [InlineData(long.MinValue)]
    public void A_delay_of_zero_or_less_means_the_next_turn(long ticks) => RunManually(async () =>
    {
        TaskCompletionSource<long> turn = new();
        long before = Loop.Turn;
        Loop.CallLater(TimeSpan.FromTicks(ticks), () => turn.SetResult(Loop.Turn));
        Assert.InRange(await turn.Task, before, before + 1);
    });

    [Fact]
    public void A_timer_of_a_huge_delay_waits() => RunManually(async () =>
    {
        bool hasRun = false;
        IDisposable longest = Loop.CallLater(TimeSpan.MaxValue, () => hasRun = true);
        await Advance(TimeSpan.FromDays(365));
        Assert.False(hasRun);
        longest.Dispose();
    });

    [Fact]
    public void A_timer_beyond_what_the_systems_timers_take_runs_at_its_time() => RunManually(async () =>
    {
        int hasRun = 0;
        Loop.CallLater(TimeSpan.FromDays(100), () => hasRun++);
        for (int day = 1; day < 100; day++) await Advance(TimeSpan.FromDays(1));
        Assert.Equal(0, hasRun);
        await Advance(TimeSpan.FromDays(1));
        Assert.Equal(1, hasRun);
    });

    [Fact]
    public void CallEvery_does_not_drift_and_leaves_out_what_was_missed() => RunManually(async () =>
    {
        List<TimeSpan> times = [];
        IDisposable timer = Loop.CallEvery(s_second, () => times.Add(Clock.Elapsed));
        await Advance(1.25 * s_second);
        await Advance(0.75 * s_second);
        await Advance(3.5 * s_second); // 5.5: the calls at 3 and 4 are missed
        await Advance(0.5 * s_second);
        timer.Dispose();
        await Advance(5 * s_second);
        Assert.Equal([1.25, 2, 5.5, 6], times.Select(time => time.TotalSeconds));
    });

    [Fact]
    public void CallEvery_can_be_cancelled_by_its_own_callback() => RunManually(async () =>
    {
        int ran = 0;
        IDisposable? timer = null;
        timer = Loop.CallEvery(s_second, () =>
        {
            ran++;
            timer!.Dispose();
        });
        for (int i = 0; i < 3; i++) await Advance(s_second);
        Assert.Equal(1, ran);
        Assert.Equal(0, Loop.TimerCount);
    });

    [Fact]
    public void CallEvery_continues_after_its_callback_has_thrown() => RunManually(async () =>
    {
        ExpectLog("A callback on loop");
        int ran = 0;
        using IDisposable timer = Loop.CallEvery(s_second, () =>
        {
            if (ran++ == 0) throw new InvalidDataException("on purpose");
        });
        for (int i = 0; i < 3; i++) await Advance(s_second);
        Assert.Equal(3, ran);
    });

    [Fact]
    public void CallEvery_leaves_out_the_times_that_pass_while_its_callback_runs() => RunManually(async () =>
    {
        int[] durations = [9, 9, 10, 11, 20];
        List<double> times = [];
        using IDisposable timer = Loop.CallEvery(TimeSpan.FromMilliseconds(10), () =>
        {
            times.Add(Clock.Elapsed.TotalMilliseconds);
            if (times.Count <= durations.Length) Clock.Advance(TimeSpan.FromMilliseconds(durations[times.Count - 1]));
        });
        // A millisecond at a time, so that a call comes exactly when it is due.
        while (times.Count <= durations.Length) await Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal([10, 20, 30, 50, 70, 100], times);
    });

    [Fact]
    public void CallEvery_whose_callback_throws_after_its_period_leaves_out_what_it_missed() => RunManually(async () =>
    {
        ExpectLog("A callback on loop");
        List<double> times = [];
        using IDisposable timer = Loop.CallEvery(s_second, () =>
        {
            times.Add(Clock.Elapsed.TotalSeconds);
            if (times.Count > 1) return;
            Clock.Advance(1.5 * s_second);
            throw new InvalidDataException("on purpose");
        });
        await Advance(s_second);
        await Advance(0.25 * s_second);
        Assert.Equal([1], times);
        await Advance(0.25 * s_second);
        Assert.Equal([1, 3], times);
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_due_timer_that_another_thread_cancels_does_not_run(bool isPeriodic) => RunManually(async () =>
    {
        using ManualResetEventSlim held = new(), go = new();
        int ran = 0;
        Loop.CallLater(s_second, () =>
        {
            held.Set();
            Assert.True(go.Wait(Limit));
        });
        IDisposable second = isPeriodic ? Loop.CallEvery(s_second, () => ran++) : Loop.CallLater(s_second, () => ran++);
        Task canceller = Task.Run(() =>
        {
            held.Wait(Limit);
            second.Dispose();
            go.Set();
        });
        await Advance(s_second);
        await canceller;
        await Advance(2 * s_second);
        Assert.Equal(0, ran);
        Assert.Equal(0, Loop.TimerCount);
    });

    [Fact]
    public void A_due_timer_that_another_thread_cancels_while_a_callback_holds_the_loop_does_not_run() => RunManually(async () =>
    {
        bool hasRun = false;
        IDisposable timer = Loop.CallLater(s_second, () => hasRun = true);
        Clock.Advance(s_second);
        Task.Run(timer.Dispose).Wait(Limit); // this blocks the loop
        await Turns(3);
        Assert.False(hasRun);
    });

    [Fact]
    public void CallEvery_that_another_thread_cancels_while_it_runs_does_not_run_again() => RunManually(async () =>
    {
        int ran = 0;
        IDisposable? timer = null;
        timer = Loop.CallEvery(s_second, () =>
        {
            ran++;
            Task.Run(timer!.Dispose).Wait(Limit);
        });
        for (int i = 0; i < 3; i++) await Advance(s_second);
        Assert.Equal(1, ran);
        Assert.Equal(0, Loop.TimerCount);
    });

    [Fact]
    public void A_period_that_is_not_positive_is_refused() => RunManually(() =>
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Loop.CallEvery(TimeSpan.Zero, () => { }));
        return Task.CompletedTask;
    });

    [Fact]
    public void Very_many_timers_all_run_in_order() => RunManually(async () =>
    {
        const int Count = 200_000;
        int ran = 0;
        Random random = new(1);
        TimeSpan last = TimeSpan.Zero;
        bool isOrdered = true;
        for (int i = 0; i < Count; i++)
        {
            TimeSpan delay = TimeSpan.FromTicks(random.NextInt64(TimeSpan.TicksPerDay));
            Loop.CallLater(delay, () =>
            {
                ran++;
                isOrdered &= last <= delay;
                last = delay;
            });
        }

        await Advance(TimeSpan.FromDays(1));
        Assert.Equal(Count, ran);
        Assert.True(isOrdered);
    });

    [Fact]
    public void A_clock_that_another_thread_moves_wakes_the_loop() => RunManually(async () =>
    {
        for (int i = 0; i < 500; i++)
        {
            TaskCompletionSource due = new();
            Loop.CallLater(s_second, due.SetResult);
            Task mover = Task.Run(() => Clock.Advance(s_second));
            await due.Task;
            await mover;
        }
    });
}
