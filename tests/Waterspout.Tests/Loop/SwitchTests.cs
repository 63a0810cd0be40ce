namespace Waterspout.Tests;

/// <summary>Code that moves onto a loop.</summary>
[OnEachPoller]
public sealed class SwitchTests : LoopTest
{
    [Fact]
    public void What_follows_a_switch_runs_on_the_loop_and_stays_there() => Run(() => Task.Run(async () =>
    {
        Assert.False(Loop.IsCurrent);
        await Loop.SwitchTo();
        Assert.True(Loop.IsCurrent);
        await Task.Yield();
        Assert.True(Loop.IsCurrent);
        await Task.Run(() => { });
        Assert.True(Loop.IsCurrent);
    }));

    [Fact]
    public void On_the_loop_there_is_nothing_to_await() => Run(async () =>
    {
        Assert.True(Loop.SwitchTo().GetAwaiter().IsCompleted);
        long turn = Loop.Turn;
        await Loop.SwitchTo();
        Assert.Equal(turn, Loop.Turn);
    });

    [Fact]
    public void The_caller_stays_where_it_is() => Run(() => Task.Run(async () =>
    {
        await MoveAsync();
        Assert.False(Loop.IsCurrent);

        async Task MoveAsync()
        {
            await Loop.SwitchTo();
            Assert.True(Loop.IsCurrent);
        }
    }));

    [Fact]
    public void Async_locals_move_along() => Run(() => Task.Run(async () =>
    {
        AsyncLocal<string> local = new() { Value = "kept" };
        await Loop.SwitchTo();
        Assert.Equal("kept", local.Value);
    }));

    [Fact]
    public void A_switch_to_a_loop_that_has_ended_throws_off_the_loop() => Run(() => Task.Run(async () =>
    {
        IOLoop ended = new();
        ended.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await ended.SwitchTo());
    }));

    [Fact]
    public void A_switch_between_two_loops_moves_from_one_to_the_other() => Run(async () =>
    {
        using IOLoopGroup group = new(1);
        await group[0].SwitchTo();
        Assert.True(group[0].IsCurrent);
        await Loop.SwitchTo();
        Assert.True(Loop.IsCurrent);
    });
}
