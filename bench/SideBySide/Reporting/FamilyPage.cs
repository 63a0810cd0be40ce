using System.Globalization;
using System.Text;

namespace Waterspout.Bench.SideBySide;

/// <summary>The page of a family of workloads.</summary>
internal sealed class FamilyPage(Family family, IReadOnlyList<(Workload Workload, WorkloadResult Result)> all)
{
    private IEnumerable<IGrouping<Sweep, (Workload Workload, WorkloadResult Result)>> Sweeps =>
        all.Where(pair => pair.Workload.Sweep is not null).GroupBy(pair => pair.Workload.Sweep!);

    private IEnumerable<(Workload Workload, WorkloadResult Result)> Single => all.Where(pair => pair.Workload.Sweep is null);

    internal static IEnumerable<Verdict> Verdicts(Workload workload, WorkloadResult result) =>
        workload.Goals.Select(goal => goal.Check(workload, result)).OfType<Verdict>();

    /// <summary>The charts that the page shows, by name.</summary>
    internal IEnumerable<(string Name, string Svg)> Charts()
    {
        foreach ((Workload workload, WorkloadResult result) in Single)
            if (result.Sorted(workload) is { Count: > 0 } sorted) yield return (workload.Name, BarChart.Draw(workload, sorted));
        foreach (var sweep in Sweeps)
            if (sweep.Count() > 1) yield return ("sweep-" + sweep.Key.Name, LineChart.Draw(sweep.Key, sweep.First().Workload.Measure, SweepTable.Lines([.. sweep])));
    }

    internal string Write()
    {
        StringBuilder page = new();
        page.Append(CultureInfo.InvariantCulture, $"# {family.Title()}\n\n{family.About()}\n\n");
        foreach (string line in all.SelectMany(pair => pair.Result.Machine).Distinct()) page.Append(CultureInfo.InvariantCulture, $"- {line}\n");
        if (all.All(pair => pair.Workload.IsPinned))
            page.Append(CultureInfo.InvariantCulture, $"- The load is pinned to core {Machine.LoadCore} and never sleeps there; the server is pinned to core {Machine.ServerCore}\n");
        page.Append("- In bold the median of the rounds, then the smallest and the largest\n");
        foreach (string peer in all.SelectMany(pair => pair.Result.LeftOut).Distinct()) page.Append(CultureInfo.InvariantCulture, $"- Left out: {peer}\n");
        foreach ((Workload workload, WorkloadResult result) in Single) WriteWorkload(page, workload, result);
        foreach (var sweep in Sweeps) WriteSweep(page, sweep.Key, [.. sweep]);
        return page.ToString();
    }

    private static void WriteWorkload(StringBuilder page, Workload workload, WorkloadResult result)
    {
        page.Append(CultureInfo.InvariantCulture, $"\n## {workload.Title} (`{workload.Name}`)\n\n");
        Markdown.Chart(page, workload.Title, workload.Name);
        Table.Write(page, workload, result);
        WriteGoals(page, Verdicts(workload, result));
        page.Append(CultureInfo.InvariantCulture, $"\n<sub>{Markdown.Origin(result)}</sub>\n");
    }

    private static void WriteSweep(StringBuilder page, Sweep sweep, List<(Workload Workload, WorkloadResult Result)> points)
    {
        page.Append(CultureInfo.InvariantCulture, $"\n## {sweep.Title}\n\n");
        if (points.Count > 1) Markdown.Chart(page, sweep.Title, "sweep-" + sweep.Name);
        SweepTable.Write(page, sweep, points);
        if (SweepTable.Flatness(sweep, points) is { } verdict) WriteGoals(page, [verdict]);
        page.Append("\n<details><summary>All numbers</summary>\n");
        foreach ((Workload workload, WorkloadResult result) in points)
        {
            page.Append(CultureInfo.InvariantCulture, $"\n### {workload.Title} (`{workload.Name}`)\n\n");
            Table.Write(page, workload, result);
            page.Append(CultureInfo.InvariantCulture, $"\n<sub>{Markdown.Origin(result)}</sub>\n");
        }

        page.Append("\n</details>\n");
    }

    private static void WriteGoals(StringBuilder page, IEnumerable<Verdict> verdicts)
    {
        page.Append('\n');
        foreach (Verdict verdict in verdicts)
            page.Append(CultureInfo.InvariantCulture, $"- Goal **{verdict.Word}**: {verdict.Text}; measured {verdict.Measured}\n");
    }
}
