using System.Text;

namespace Waterspout.Bench.SideBySide;

/// <summary>The table of a workload: one row per peer, best first. The columns depend on the workload's measure.</summary>
internal static class Table
{
    // A server that did not fill its core shows what the load can do, not what the server can.
    private const double LeastBusy = 0.9;

    private sealed record Column(string Title, Func<Outcome, string> Cell);

    internal static void Write(StringBuilder page, Workload workload, WorkloadResult result)
    {
        List<Outcome> sorted = result.Sorted(workload);
        List<Column> columns = [new Column("", outcome => outcome.Peer), .. ColumnsOf(workload)];
        // Columns without any value are left out, such as system calls without strace.
        columns.RemoveAll(column => column.Title.Length > 0 && sorted.TrueForAll(outcome => column.Cell(outcome).Length == 0));
        Markdown.Row(page, columns.Select(column => column.Title));
        Markdown.Row(page, columns.Select(_ => "---"));
        foreach (Outcome outcome in sorted) Markdown.Row(page, columns.Select(column => column.Cell(outcome)));
        foreach (Outcome outcome in result.Outcomes.Where(outcome => outcome.Failed)) page.Append("\nFailed: ").Append(outcome.Peer).Append('\n');
        if (sorted.Exists(outcome => IsDoubtful(workload, outcome)))
            page.Append("\n(!) The server had less than 90 % of its core: where the core was idle, the load was the limit; where it was not, others used it. Rates and latencies of such rows do not count, CPU does with care.\n");
    }

    private static IEnumerable<Column> ColumnsOf(Workload workload) => workload.Measure switch
    {
        Measure.Memory =>
        [
            Value(workload),
            new Column("managed memory per connection", outcome => outcome.Memory?.Managed is { } bytes ? Format.Value(Measure.Memory, bytes) : ""),
        ],
        Measure.IdleCpu => [Value(workload), Latency("p50", sample => sample.P50), Latency("p99", sample => sample.P99)],
        Measure.LostWork => [Value(workload), Cpu, Rate, Latency("p50", sample => sample.P50), Latency("p99", sample => sample.P99)],
        Measure.Latency => [Value(workload), Cpu, Rate, Busy(workload), Latency("p99", sample => sample.P99), Latency("p99.9", sample => sample.P999), Calls("message")],
        Measure.CpuPerMessage =>
        [
            Value(workload), Rate, Busy(workload),
            Latency("p50", sample => sample.P50), Latency("p99", sample => sample.P99), Latency("p99.9", sample => sample.P999), Calls("message"),
        ],
        _ => [Value(workload), new Column("MiB a second", outcome => Format.Number(outcome.Of(sample => sample.Mebibytes / sample.Seconds).Median)), Busy(workload), Calls("MiB")],
    };

    private static Column Cpu { get; } = new("server CPU per message", outcome => Format.Time(outcome.Of(sample => sample.CpuPerMessage).Median));

    private static Column Rate { get; } = new("messages a second", outcome => Format.Rate(outcome.Of(sample => sample.MessagesPerSecond).Median));

    private static Column Value(Workload workload) => new(Format.Title(workload.Measure), outcome =>
    {
        Spread value = outcome.Value(workload);
        string Show(double number) => Format.Value(workload.Measure, number);
        return value.Min < value.Max ? $"**{Show(value.Median)}** ({Show(value.Min)} to {Show(value.Max)})" : $"**{Show(value.Median)}**";
    });

    private static Column Latency(string name, Func<Sample, double> value) => new(name, outcome => Format.Time(outcome.Of(value).Median));

    private static Column Calls(string unit) =>
        new($"system calls per {unit}", outcome => outcome.Calls is { } calls ? $"{Format.Number(calls.PerUnit)}: {calls.Frequent}" : "");

    private static Column Busy(Workload workload) => new("busy", outcome =>
    {
        string text = Format.Percent(outcome.Of(sample => sample.Busy).Median);
        if (workload.IsPinned) text += $", idle {Format.Percent(outcome.Of(sample => sample.IdleShare).Median)}";
        return IsDoubtful(workload, outcome) ? text + " (!)" : text;
    });

    private static bool IsDoubtful(Workload workload, Outcome outcome) =>
        !workload.MayBeIdle && outcome.Of(sample => sample.Busy).Median < LeastBusy;
}
