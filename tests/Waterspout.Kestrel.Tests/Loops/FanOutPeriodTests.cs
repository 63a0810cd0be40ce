using Waterspout.Kestrel.Loops;

namespace Waterspout.Kestrel.Tests.Loops;

public sealed class FanOutPeriodTests
{
    private const long Start = 1_000_000_000_000;

    private FanOutPeriod _period;

    [Fact]
    public void Before_anything_has_taken_long_it_is_over() => Assert.True(_period.IsOver(Start));

    [Fact]
    public void The_first_one_is_short()
    {
        _period.Begin(Start);
        AssertLength(FanOutPeriod.Shortest, Start);
    }

    [Fact]
    public void What_takes_long_each_time_doubles_it_up_to_a_limit()
    {
        long now = Start;
        _period.Begin(now);
        for (long length = FanOutPeriod.Shortest; length < FanOutPeriod.Longest; length *= 2)
        {
            AssertLength(length, now);
            _period.Begin(now += length + FanOutPeriod.Shortest - 1);
        }

        AssertLength(FanOutPeriod.Longest, now);
        _period.Begin(now += FanOutPeriod.Longest);
        AssertLength(FanOutPeriod.Longest, now);
    }

    [Fact]
    public void After_a_while_of_short_pieces_it_is_short_again()
    {
        _period.Begin(Start);
        _period.Begin(Start + FanOutPeriod.Shortest);
        long later = Start + (3 * FanOutPeriod.Shortest) + FanOutPeriod.Shortest;
        _period.Begin(later);
        AssertLength(FanOutPeriod.Shortest, later);
    }

    private void AssertLength(long expected, long begun)
    {
        Assert.False(_period.IsOver(begun + expected - 1));
        Assert.True(_period.IsOver(begun + expected));
    }
}
