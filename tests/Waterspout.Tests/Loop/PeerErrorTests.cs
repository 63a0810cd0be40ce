using Microsoft.Extensions.Logging;
using Waterspout.Diagnostics;

namespace Waterspout.Tests;

/// <summary>Peer errors are logged, but no peer can fill a log with them.</summary>
[OnEachPoller]
public sealed class PeerErrorTests : ManualLoopTest
{
    [Fact]
    public void So_many_lines_a_second_and_then_the_number_of_those_left_out() => RunManually(async () =>
    {
        for (int i = 0; i < PeerErrors.LinesPerSecond + 3; i++) await PassLimit();
        Assert.Equal(PeerErrors.LinesPerSecond, Lines().Count(line => line.Contains("is longer than 4 bytes")));
        await Advance(TimeSpan.FromSeconds(1));
        Assert.Contains(" 3 more peer errors", Lines().Last());

        await PassLimit();
        Assert.Equal(PeerErrors.LinesPerSecond + 1, Lines().Count(line => line.Contains("is longer than 4 bytes")));
        await Advance(TimeSpan.FromSeconds(1));
        Assert.DoesNotContain("more peer errors", Lines().Last());
    });

    [Fact]
    public void The_number_is_there_also_when_the_loop_ends_before()
    {
        RunManually(async () =>
        {
            for (int i = 0; i < PeerErrors.LinesPerSecond + 2; i++) await PassLimit();
        });
        Assert.Contains(" 2 more peer errors", Lines().Last());
    }

    private static async Task PassLimit()
    {
        (IOStream near, IOStream far) = IOStream.CreatePair(new IOStreamOptions { OnReadLimit = ReadLimitAction.Close });
        await far.WriteAsync("too long"u8);
        await Assert.ThrowsAnyAsync<IOException>(async () => await near.ReadUntilAsync("\n"u8, maxBytes: 4));
        near.Close();
        far.Close();
    }

    private IEnumerable<string> Lines() => Log.Lines.Where(line => line.Level == LogLevel.Information).Select(line => line.Message);
}
