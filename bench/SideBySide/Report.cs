using System.Globalization;
using System.Text;

namespace Waterspout.Bench.SideBySide;

/// <summary>Writes what was measured: one page with a table for each workload, and a chart beside it.</summary>
internal sealed class Report(string folder, IReadOnlyList<Peer> missing, Options options)
{
    // A server that could have done more tells what the load can do, and not what it can.
    private const double LeastBusy = 0.9;

    private readonly List<(Workload Workload, List<Outcome> Outcomes)> _results = [];

    /// <summary>Takes the results of one more workload, and writes the page as it is so far.</summary>
    internal void Add(Workload workload, List<Outcome> outcomes)
    {
        _results.Add((workload, outcomes));
        Directory.CreateDirectory(folder);
        List<Outcome> drawn = [.. Sorted(workload, outcomes)];
        if (drawn.Count > 0) File.WriteAllText(Path.Combine(folder, workload.Name + ".svg"), SvgChart.Draw(workload, drawn));
        File.WriteAllText(Path.Combine(folder, "latest.md"), Write());
    }

    /// <summary>The lines about the goals of a workload, for the screen too.</summary>
    internal static IEnumerable<string> Goals(Workload workload, List<Outcome> outcomes)
    {
        foreach (Goal goal in workload.Goals)
        {
            if (Find(outcomes, goal.Ours) is not { } ours || Find(outcomes, goal.Peer) is not { } peer) continue;
            double ratio = ours.Value(workload).Median / peer.Value(workload).Median;
            string verdict = ratio <= goal.AtMost ? "reached" : "missed";
            yield return string.Create(CultureInfo.InvariantCulture,
                $"{goal.Ours} needs {ratio:0.000} times as much as {goal.Peer}; the goal is {goal.AtMost:0.000} at most: {verdict}");
        }
    }

    private static Outcome? Find(List<Outcome> outcomes, string name) => outcomes.Find(outcome => outcome.HasResult && outcome.Peer.Name == name);

    private static IEnumerable<Outcome> Sorted(Workload workload, List<Outcome> outcomes) =>
        outcomes.Where(outcome => outcome.HasResult).OrderBy(outcome => outcome.Value(workload).Median);

    private string Write()
    {
        StringBuilder page = new("# Side by side\n\n");
        foreach (string line in Machine.Describe()) page.Append(CultureInfo.InvariantCulture, $"- {line}\n");
        page.Append(CultureInfo.InvariantCulture, $"- {options.Rounds} interleaved rounds of {options.Seconds} s after at least {options.Warm} s of warming; the tables show medians (smallest to largest)\n");
        page.Append(CultureInfo.InvariantCulture, $"- The load is pinned to core {Machine.LoadCore} and never sleeps there, the server to core {Machine.ServerCore}. Every byte that comes back is compared, or counted where it is bulk\n");
        if (!SystemCalls.IsPossible) page.Append("- System calls were not counted: there is no strace\n");
        foreach (Peer peer in missing) page.Append(CultureInfo.InvariantCulture, $"- Left out: {peer.Name}: {peer.Missing}\n");
        foreach ((Workload workload, List<Outcome> outcomes) in _results) Write(page, workload, outcomes);
        return page.ToString();
    }

    private static void Write(StringBuilder page, Workload workload, List<Outcome> outcomes)
    {
        page.Append(CultureInfo.InvariantCulture, $"\n## {workload.Title} (`{workload.Name}`)\n\n");
        List<Outcome> sorted = [.. Sorted(workload, outcomes)];
        if (sorted.Count > 0)
        {
            page.Append(CultureInfo.InvariantCulture, $"![{workload.Title}]({workload.Name}.svg)\n\n");
            if (workload.Measure == Measure.Memory) WriteMemory(page, sorted);
            else WriteTimes(page, workload, sorted);
        }

        foreach (Outcome outcome in outcomes.Where(outcome => outcome.Failed)) page.Append(CultureInfo.InvariantCulture, $"\nFailed: {outcome.Peer.Name}\n");
        List<string> goals = [.. Goals(workload, outcomes)];
        if (goals.Count > 0) page.Append('\n');
        foreach (string goal in goals) page.Append(CultureInfo.InvariantCulture, $"- {goal}\n");
    }

    private static void WriteTimes(StringBuilder page, Workload workload, List<Outcome> sorted)
    {
        bool isBulk = workload.Measure is Measure.CpuPerMebibyte or Measure.CpuPerByte;
        // Only where it is not the first column already.
        bool hasCpu = workload.Measure is Measure.Latency or Measure.CpuPerByte;
        string unit = isBulk ? "MiB" : "message";
        List<string> titles = ["", Format.Title(workload.Measure), isBulk ? "MiB a second" : "messages a second", "busy"];
        if (hasCpu) titles.Insert(2, $"server CPU per {unit}");
        if (!isBulk) titles.AddRange(["p50", "p99", "p99.9"]);
        titles.Add($"system calls per {(isBulk ? "64 B" : "message")}");
        WriteRow(page, titles);
        WriteRow(page, titles.Select(_ => "---"));
        foreach (Outcome outcome in sorted)
        {
            Spread value = outcome.Value(workload);
            string Show(double number) => Format.Value(workload.Measure, number);
            string rate = isBulk
                ? Format.Number(outcome.Of(sample => sample.Mebibytes / sample.Seconds).Median)
                : Format.Rate(outcome.Of(sample => sample.MessagesPerSecond).Median);
            List<string> cells = [outcome.Peer.Name, $"**{Show(value.Median)}** ({Show(value.Min)} to {Show(value.Max)})", rate, Busy(workload, outcome)];
            if (hasCpu) cells.Insert(2, Format.Time(outcome.Of(sample => isBulk ? sample.Cpu / sample.Mebibytes : sample.CpuPerMessage).Median));
            Func<Sample, double>[] percentiles = [sample => sample.P50, sample => sample.P99, sample => sample.P999];
            if (!isBulk) cells.AddRange(percentiles.Select(percentile => Format.Time(outcome.Of(percentile).Median)));
            cells.Add(Calls(outcome));
            WriteRow(page, cells);
        }

        if (!workload.MayBeIdle && sorted.Any(outcome => outcome.Of(sample => sample.Busy).Median < LeastBusy))
            page.Append("\n(!) The server had less than 90 % of its core: where the core was idle, the load was the limit; where it was not, others used it. Rates and latencies of such rows do not count, CPU does with care.\n");
    }

    private static void WriteRow(StringBuilder page, IEnumerable<string> cells) => page.Append("| ").AppendJoin(" | ", cells).Append(" |\n");

    private static string Busy(Workload workload, Outcome outcome)
    {
        double busy = outcome.Of(sample => sample.Busy).Median;
        string text = Format.Percent(busy);
        if (!workload.IsPinned) return text;
        text += $", idle {Format.Percent(outcome.Of(sample => sample.IdleShare).Median)}";
        return busy >= LeastBusy || workload.MayBeIdle ? text : text + " (!)";
    }

    private static string Calls(Outcome outcome) => outcome.Calls is { } calls ? $"{Format.Number(calls.PerMessage)}: {calls.Frequent}" : "";

    private static void WriteMemory(StringBuilder page, List<Outcome> sorted)
    {
        WriteRow(page, ["", "resident memory per connection", "managed memory per connection"]);
        WriteRow(page, ["---", "---", "---"]);
        foreach (Outcome outcome in sorted)
        {
            (double resident, double? managed) = outcome.Memory!.Value;
            string heap = managed is { } bytes ? Format.Value(Measure.Memory, bytes) : "";
            WriteRow(page, [outcome.Peer.Name, Format.Value(Measure.Memory, resident), heap]);
        }
    }
}
