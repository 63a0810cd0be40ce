namespace Waterspout.Tests;

/// <summary>The rate of reads by itself: the test says when a read waits, and what arrives.</summary>
[OnEachPoller]
public sealed class ReadClockTests : ManualLoopTest
{
    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);

    private string? _expired;

    [Fact]
    public void What_arrives_while_no_read_waits_earns_its_time() => RunClock(async clock =>
    {
        clock.Start(null, isMeasured: true);
        await Advance(4 * s_second);
        clock.Stop();
        clock.Receive(200); // two seconds, with the one that is left
        clock.Start(null, isMeasured: true);
        await AssertExpires(3 * s_second);
    });

    [Fact]
    public void What_arrives_while_no_read_waits_earns_no_more_than_the_grace_period() => RunClock(async clock =>
    {
        clock.Receive(1_000_000);
        clock.Start(null, isMeasured: true);
        await AssertExpires(5 * s_second);
    });

    private void RunClock(Func<ReadClock, Task> body) => RunManually(async () =>
    {
        ReadClock clock = new(Loop, new MinimumRate(100, 5 * s_second), why => _expired = why);
        await body(clock);
        clock.Cancel();
    });

    private async Task AssertExpires(TimeSpan time)
    {
        await Advance(time - (0.1 * s_second));
        Assert.Null(_expired);
        await Advance(0.2 * s_second);
        Assert.Contains("sent less than 100 bytes a second", _expired);
    }
}
