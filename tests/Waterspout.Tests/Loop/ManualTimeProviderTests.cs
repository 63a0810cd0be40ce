using Waterspout.Testing;

namespace Waterspout.Tests;

public sealed class ManualTimeProviderTests
{
    private readonly ManualTimeProvider _clock = new();

    [Fact]
    public void The_clock_stands_still_until_it_is_moved()
    {
        DateTimeOffset start = _clock.GetUtcNow();
        Assert.Equal(start, _clock.GetUtcNow());
        _clock.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal(start.AddMinutes(3), _clock.GetUtcNow());
        Assert.Equal(TimeSpan.FromMinutes(3), _clock.GetElapsedTime(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => _clock.Advance(TimeSpan.FromTicks(-1)));
    }

    [Fact]
    public void Timers_fire_in_order_and_see_their_own_time()
    {
        List<(int, double)> fired = [];
        foreach (int seconds in (int[])[2, 1, 3, 1])
            _clock.CreateTimer(_ => fired.Add((seconds, _clock.Elapsed.TotalSeconds)), null, TimeSpan.FromSeconds(seconds), Timeout.InfiniteTimeSpan);
        _clock.Advance(TimeSpan.FromSeconds(2.5));
        Assert.Equal([(1, 1), (1, 1), (2, 2)], fired);
        Assert.Equal(2.5, _clock.Elapsed.TotalSeconds);
        Assert.Equal(1, _clock.TimersSet);
    }

    [Fact]
    public void A_periodic_timer_fires_for_each_period()
    {
        int fired = 0;
        ITimer timer = _clock.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));
        _clock.Advance(TimeSpan.FromSeconds(7));
        Assert.Equal(4, fired);
        timer.Dispose();
        _clock.Advance(TimeSpan.FromSeconds(7));
        Assert.Equal(4, fired);
        Assert.False(timer.Change(TimeSpan.Zero, TimeSpan.Zero));
        Assert.Equal(0, _clock.TimersSet);
    }

    [Fact]
    public void A_timer_that_is_changed_fires_at_its_new_time_alone()
    {
        int fired = 0;
        using ITimer timer = _clock.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        Assert.True(timer.Change(TimeSpan.FromSeconds(5), Timeout.InfiniteTimeSpan));
        _clock.Advance(TimeSpan.FromSeconds(4.5));
        Assert.Equal(0, fired);
        _clock.Advance(TimeSpan.FromSeconds(0.5));
        Assert.Equal(1, fired);
    }

    [Fact]
    public void A_timer_that_a_callback_sets_fires_in_the_same_move_if_it_is_due()
    {
        int fired = 0;
        _clock.CreateTimer(_ => _clock.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan), null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(1, fired);
    }

    [Fact]
    public async Task Framework_code_that_takes_a_time_provider_follows_it()
    {
        using CancellationTokenSource source = new(TimeSpan.FromSeconds(1), _clock);
        Task delay = Task.Delay(TimeSpan.FromSeconds(1), _clock);
        _clock.Advance(TimeSpan.FromSeconds(1));
        await delay;
        Assert.True(source.IsCancellationRequested);
    }

    [Fact]
    public void Concurrent_advances_add_up()
    {
        int fired = 0;
        _clock.CreateTimer(_ => Interlocked.Increment(ref fired), null, TimeSpan.FromTicks(1), TimeSpan.FromTicks(1));
        Parallel.For(0, 4, _ =>
        {
            for (int i = 0; i < 1_000; i++) _clock.Advance(TimeSpan.FromTicks(1));
        });
        Assert.Equal(4_000, _clock.Elapsed.Ticks);
        Assert.Equal(4_000, fired);
    }
}
