namespace Waterspout.Tests;

/// <summary>Loops whose creation fails leave nothing behind.</summary>
[OnEachPoller]
public sealed class FailedLoopTests : LoopTest
{
    [Fact]
    public void A_loop_whose_clock_fails_leaves_nothing_open() => Run(() =>
    {
        Assert.Throws<NotSupportedException>(() => new IOLoop(new IOLoopOptions { Poller = Poller, TimeProvider = new ShortLivedTime(0) }));
        return Task.CompletedTask;
    });

    [Fact]
    public void A_group_of_which_one_loop_could_not_be_made_leaves_nothing_open() => Run(() =>
    {
        Assert.Throws<NotSupportedException>(() => new IOLoopGroup(3, new IOLoopOptions { Poller = Poller, TimeProvider = new ShortLivedTime(2) }));
        return Task.CompletedTask;
    });

    /// <summary>Creates this number of timers and no more.</summary>
    private sealed class ShortLivedTime(int timers) : TimeProvider
    {
        private int _left = timers;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            _left-- > 0 ? base.CreateTimer(callback, state, dueTime, period) : throw new NotSupportedException("no more timers");
    }
}
