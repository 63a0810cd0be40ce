namespace Waterspout.Tests;

/// <summary>Loops with clocks of the user's.</summary>
public sealed class ClockTests : LoopTest
{
    [Fact]
    public void Timers_run_by_a_clock_that_only_passes_the_systems_on() => Check(() => Guarded(async () =>
    {
        // Its timers ring up to a millisecond early for such a time; the loop must then wait once more.
        for (int i = 1; i <= 30; i++)
        {
            TaskCompletionSource due = new();
            Loop.CallLater(TimeSpan.FromMicroseconds(1_000 + (i * 97)), due.SetResult);
            await due.Task;
        }
    }), options => options.TimeProvider = new PassedOnTime());

    [Fact]
    public void A_timer_beyond_what_the_systems_timers_take_does_not_break_such_a_clock() => Check(() => Guarded(async () =>
    {
        using IDisposable timer = Loop.CallLater(TimeSpan.MaxValue, () => { });
        await Task.Run(() => { });
        TaskCompletionSource due = new();
        Loop.CallLater(TimeSpan.FromMilliseconds(2), due.SetResult);
        await due.Task;
    }), options => options.TimeProvider = new PassedOnTime());

    private void Guarded(Func<Task> body) => Loop.RunSync(() => body().WaitAsync(Limit));

    private sealed class PassedOnTime : TimeProvider;
}
