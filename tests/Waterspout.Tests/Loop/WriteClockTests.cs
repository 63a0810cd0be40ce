namespace Waterspout.Tests;

/// <summary>The limits of sending by themselves: the test says what the system holds, and when.</summary>
[OnEachPoller]
public sealed class WriteClockTests : ManualLoopTest
{
    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);
    private static readonly IOStreamOptions s_rate = new() { MinimumWriteRate = new MinimumRate(100, 5 * s_second) };
    private static readonly IOStreamOptions s_limit = new() { WriteTimeout = 5 * s_second };

    private long _held;
    private string? _expired;

    [Fact]
    public void Sends_below_the_rate_spend_the_grace_period() => RunClock(s_rate, async clock =>
    {
        for (int i = 0; i < 5; i++)
        {
            clock.Block();
            await Advance(s_second);
            Assert.Null(_expired);
            clock.Send(1);
        }

        clock.Block();
        await Advance(s_second);
        Assert.Contains("took less than 100 bytes a second", _expired);
    });

    [Fact]
    public void Much_at_once_earns_no_more_than_the_grace_period() => RunClock(s_rate, async clock =>
    {
        clock.Block();
        clock.Send(1_000_000);
        clock.Block();
        await AssertExpires(4.9 * s_second, 0.2 * s_second);
    });

    [Fact]
    public void What_was_taken_from_the_system_does_not_count_once_more_when_it_is_replaced() => RunClock(s_rate, async clock =>
    {
        _held = 1000;
        clock.Block();
        await Advance(s_second);
        _held = 500;
        await Advance(4 * s_second); // now 500 bytes have counted
        await Advance(4 * s_second);
        clock.Send(500);
        _held = 1000;
        clock.Block();
        await AssertExpires(0.5 * s_second, 0.6 * s_second);
    });

    [Fact]
    public void What_was_taken_counts_once_however_often_it_is_looked_at() => RunClock(s_limit, async clock =>
    {
        _held = 1000;
        clock.Block();
        await Advance(s_second);
        _held = 999;
        await Advance(4 * s_second);
        Assert.Null(_expired);
        await Advance(5 * s_second);
        Assert.Contains("took no data for 00:00:05", _expired);
    });

    [Fact]
    public void What_arrives_in_the_peers_system_is_not_taken_by_the_peer() => RunClock(s_limit, async clock =>
    {
        _held = 1000;
        clock.Block();
        await Advance(0.1 * s_second);
        _held = 400; // acknowledged, and not read
        await Advance(0.2 * s_second);
        await Advance(4.8 * s_second);
        Assert.NotNull(_expired);
    });

    [Fact]
    public void A_send_begins_the_limit_anew_also_if_the_rest_is_sent_in_the_next_turn() => RunClock(s_limit, async clock =>
    {
        clock.Block();
        await Advance(4 * s_second);
        clock.Send(1000);
        await AssertExpires(4 * s_second, s_second);
    });

    [Fact]
    public void Time_counts_while_something_waits_and_what_was_spent_stays_spent() => RunClock(s_rate, async clock =>
    {
        clock.Block();
        await Advance(3 * s_second);
        clock.Stop();
        await Advance(100 * s_second);
        Assert.Null(_expired);
        clock.Block();
        await AssertExpires(1.9 * s_second, 0.2 * s_second);
    });

    /// <summary>Not yet after the first time, and after the second one.</summary>
    private async Task AssertExpires(TimeSpan early, TimeSpan later)
    {
        await Advance(early);
        Assert.Null(_expired);
        await Advance(later);
        Assert.NotNull(_expired);
    }

    private void RunClock(IOStreamOptions options, Func<WriteClock, Task> body) => RunManually(async () =>
    {
        WriteClock clock = new(Loop, options, () => _held, reason => _expired = reason);
        await body(clock);
        clock.Cancel();
    });
}
