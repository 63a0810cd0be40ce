using System.Globalization;
using System.Text;

namespace Waterspout.Bench.SideBySide;

/// <summary>Writes what has been measured: a page for each family of workloads, their charts, and a first page with all goals.</summary>
internal sealed class Report(string folder, ResultStore store)
{
    internal const string ChartFolder = "charts";

    internal void Write()
    {
        Directory.CreateDirectory(Path.Combine(folder, ChartFolder));
        List<(Workload Workload, WorkloadResult Result)> all = [];
        foreach (Workload workload in WorkloadCatalog.All)
            if (store.Load(workload) is { } result) all.Add((workload, result));
        if (all.Count == 0) return;
        foreach (var family in all.GroupBy(pair => pair.Workload.Family))
        {
            FamilyPage page = new(family.Key, [.. family]);
            Save(family.Key.Slug() + ".md", page.Write());
            foreach ((string name, string svg) in page.Charts()) Save(Path.Combine(ChartFolder, name + ".svg"), svg);
        }

        if (DotNetChart.Draw(all) is { } chart) Save(Path.Combine(ChartFolder, DotNetChart.Name + ".svg"), chart);
        Save("README.md", WriteFirstPage(all));
    }

    private static string WriteFirstPage(List<(Workload Workload, WorkloadResult Result)> all)
    {
        StringBuilder page = new("# Side by side: results\n\n");
        page.Append("Written by `bench/SideBySide` ([how it measures](../README.md)). Medians of interleaved rounds; less is better everywhere.\n\n");
        foreach (string line in all.SelectMany(pair => pair.Result.Machine).Distinct()) page.Append(CultureInfo.InvariantCulture, $"- {line}\n");
        page.Append(CultureInfo.InvariantCulture, $"- Measured {Days(all)}; {Markdown.Commits(all.Select(pair => pair.Result))}\n");
        if (!all.Any(pair => pair.Result.Outcomes.Any(outcome => outcome.Calls is not null))) page.Append("- System calls were not counted\n");
        foreach (string peer in all.SelectMany(pair => pair.Result.LeftOut).Distinct()) page.Append(CultureInfo.InvariantCulture, $"- Left out: {peer}\n");

        page.Append("\n## Pages\n\n");
        foreach (Family family in all.Select(pair => pair.Workload.Family).Distinct().Order())
            page.Append(CultureInfo.InvariantCulture, $"- [{family.Title()}]({family.Slug()}.md). {family.About()}\n");

        WriteGoals(page, all);
        return page.ToString();
    }

    private static void WriteGoals(StringBuilder page, List<(Workload Workload, WorkloadResult Result)> all)
    {
        List<(string Where, Verdict Verdict)> verdicts = [.. all.SelectMany(pair => FamilyPage.Verdicts(pair.Workload, pair.Result).Select(verdict => (Link(pair.Workload), verdict)))];
        foreach (var sweep in all.Where(pair => pair.Workload.Sweep is not null).GroupBy(pair => pair.Workload.Sweep!))
            if (SweepTable.Flatness(sweep.Key, [.. sweep]) is { } verdict) verdicts.Add(($"[{sweep.Key.Title}]({sweep.First().Workload.Family.Slug()}.md)", verdict));
        if (verdicts.Count == 0) return;
        page.Append(CultureInfo.InvariantCulture, $"\n## Goals: {verdicts.Count(pair => pair.Verdict.IsReached)} of {verdicts.Count} reached\n\n");
        Markdown.Row(page, "workload", "goal", "measured", "");
        Markdown.Row(page, "---", "---", "---", "---");
        foreach ((string where, Verdict verdict) in verdicts)
            Markdown.Row(page, where, verdict.Text, verdict.Measured, verdict.IsReached ? verdict.Word : $"**{verdict.Word}**");
    }

    private static string Link(Workload workload) => $"[{workload.Title}]({workload.Family.Slug()}.md)";

    private static string Days(List<(Workload Workload, WorkloadResult Result)> all) =>
        string.Join(" and ", all.Select(pair => pair.Result.Measured.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)).Distinct().Order());

    private void Save(string name, string text) => File.WriteAllText(Path.Combine(folder, name), text);
}
