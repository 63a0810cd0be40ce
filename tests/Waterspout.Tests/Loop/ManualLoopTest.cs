using Waterspout.Testing;

namespace Waterspout.Tests;

/// <summary>Tests on a loop whose clock they move by hand.</summary>
public abstract class ManualLoopTest : LoopTest
{
    protected ManualTimeProvider Clock { get; } = new();

    /// <summary>Runs a body on the loop. The guard against hanging uses the machine's clock.</summary>
    protected void RunManually(Func<Task> body, Action<IOLoopOptions>? configure = null) => Check(() => Loop.RunSync(() => body().WaitAsync(Limit)), options =>
    {
        options.TimeProvider = Clock;
        configure?.Invoke(options);
    });

    /// <summary>Moves the clock, and lets the loop make a turn in which what is due runs.</summary>
    protected async Task Advance(TimeSpan time)
    {
        Clock.Advance(time);
        await NextTurn();
        await NextTurn();
    }

    protected Task NextTurn()
    {
        TaskCompletionSource next = new();
        Loop.AddCallback(next.SetResult);
        return next.Task;
    }
}
