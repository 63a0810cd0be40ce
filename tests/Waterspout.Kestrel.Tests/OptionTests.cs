using System.Reflection;

namespace Waterspout.Kestrel.Tests;

/// <summary>An option out of range is refused where it is set: the error has its name and its range.</summary>
public sealed class OptionTests
{
    public static TheoryData<string, object?> OutOfRange => new()
    {
        { nameof(WaterspoutTransportOptions.LoopCount), 0 },
        { nameof(WaterspoutTransportOptions.LoopCount), 1025 },
        { nameof(WaterspoutTransportOptions.LoopCount), int.MinValue },
        { nameof(WaterspoutTransportOptions.Backlog), 0 },
        { nameof(WaterspoutTransportOptions.Backlog), -1 },
        { nameof(WaterspoutTransportOptions.MaxWriteBufferSize), 0L },
        { nameof(WaterspoutTransportOptions.MaxWriteBufferSize), long.MinValue },
        { nameof(WaterspoutTransportOptions.Scheduling), (SchedulingMode)99 },
        { nameof(WaterspoutTransportOptions.CreateBoundListenSocket), null },
    };

    [Theory]
    [MemberData(nameof(OutOfRange))]
    public void An_option_out_of_range_is_refused_by_name(string name, object? value)
    {
        PropertyInfo option = typeof(WaterspoutTransportOptions).GetProperty(name)!;
        WaterspoutTransportOptions options = new();
        object? before = option.GetValue(options);
        TargetInvocationException thrown = Assert.Throws<TargetInvocationException>(() => option.SetValue(options, value));
        Assert.Contains(name, Assert.IsAssignableFrom<ArgumentException>(thrown.InnerException).Message);
        Assert.Equal(before, option.GetValue(options));
    }

    [Fact]
    public void Every_option_with_a_range_is_checked() => Assert.Equal(
        typeof(WaterspoutTransportOptions).GetProperties().Select(static option => option.Name).Where(static name => name != nameof(WaterspoutTransportOptions.NoDelay)).Order(),
        OutOfRange.Select(static row => row.Data.Item1).Distinct().Order());
}
