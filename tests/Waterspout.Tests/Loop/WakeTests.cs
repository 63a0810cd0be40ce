using System.Runtime.CompilerServices;

namespace Waterspout.Tests;

/// <summary>Other threads wake the loop, whatever it was just about to do.</summary>
public sealed class WakeTests : LoopTest
{
    [Fact]
    public void A_wake_that_was_taken_without_waiting_does_not_cost_the_next_one() => Run(async () =>
    {
        // The state that is left if a thread decides to wake the loop just as its wait has ended, and a poll that does not wait consumes
        // the signal. No test can hit that moment, so its trace is written by hand.
        IsWoken(Loop) = 1;
        IOLoop loop = Loop;
        TaskCompletionSource called = new();
        bool isCalledInTime = false;
        Thread other = new(() =>
        {
            while (!IsWaiting(loop)) Thread.Yield();
            loop.AddCallback(called.SetResult);
            isCalledInTime = called.Task.Wait(Limit / 3);
        });
        other.Start();
        await called.Task;
        other.Join();
        Assert.True(isCalledInTime, "The loop slept on, until its next timer.");
    });

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_isWoken")]
    private static extern ref int IsWoken(IOLoop loop);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_isWaiting")]
    private static extern ref bool IsWaiting(IOLoop loop);
}
