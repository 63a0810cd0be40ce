using System.Diagnostics.Metrics;
using System.Reflection;
using Microsoft.Extensions.Logging;

namespace Waterspout.Tests;

/// <summary>The page about logs lists everything that exists, and nothing else.</summary>
public sealed class LogsPageTests
{
    private static readonly string[] s_rows = [.. File.ReadAllLines(Repository.PathOf("docs/logs.md")).Where(line => line.StartsWith("| "))];

    [Fact]
    public void Each_event_is_in_the_table_and_has_a_number_of_its_own()
    {
        LoggerMessageAttribute[] events = [.. typeof(Diagnostics.Log).GetMethods(BindingFlags.Static | BindingFlags.NonPublic)
            .Select(method => method.GetCustomAttribute<LoggerMessageAttribute>()!).Where(attribute => attribute is not null)];
        Assert.NotEmpty(events);
        Assert.Equal(events.Length, events.DistinctBy(each => each.EventId).Count());
        // If the level depends, the page has both.
        IEnumerable<string> expected = events.OrderBy(each => each.EventId)
            .Select(each => $"| {each.EventId} | {(each.Level == LogLevel.None ? "Warning, Debug" : each.Level)} | {each.Message} |");
        Assert.Equal(expected, s_rows.Where(row => char.IsDigit(row[2])));
    }

    [Fact]
    public void Each_instrument_is_in_the_table()
    {
        using IOLoop loop = new(); // the first loop creates the meter
        List<string> expected = [];
        using MeterListener listener = new()
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == "Waterspout") expected.Add($"| `{instrument.Name}` | {instrument.Unit} | {instrument.Description} |");
            },
        };
        listener.Start();
        Assert.NotEmpty(expected);
        Assert.Equal(expected.Order(), s_rows.Where(row => row.StartsWith("| `waterspout.")).Order());
    }

    [Theory]
    [InlineData("streams.closed", typeof(CloseReason))]
    [InlineData("timeouts", typeof(Diagnostics.TimedOperation))]
    [InlineData("tls.handshakes.failed", typeof(CloseReason))]
    public void Each_value_of_a_tag_is_on_the_page(string instrument, Type values)
    {
        using IOLoop loop = new(new IOLoopOptions { Name = nameof(Each_value_of_a_tag_is_on_the_page) });
        string[] found = [.. Measurements.Of(loop.Name).Keys.Where(key => key.StartsWith($"waterspout.{instrument} ")).Select(key => key.Split(' ')[1])];
        string row = Assert.Single(s_rows, row => row.StartsWith($"| `{instrument}` |"));
        Assert.NotEmpty(found);
        Assert.True(found.Length <= Enum.GetValues(values).Length);
        if (instrument != "streams.closed") Assert.All(found, value => Assert.Contains($"`{value}`", row));
    }
}
