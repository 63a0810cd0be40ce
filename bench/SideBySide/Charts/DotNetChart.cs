namespace Waterspout.Bench.SideBySide;

/// <summary>The chart of the README: what a message costs here and by what .NET has. Each workload has a scale of its own.</summary>
internal static class DotNetChart
{
    internal const string Name = "dotnet";

    private const int RowHeight = 22, BarHeight = 15, Top = 58, Gap = 14, Left = 150, BarWidth = 520;

    private static readonly string[] s_workloads = ["pingpong-64", "pipelined", "sink-lines", "tls-pingpong-64"];

    private static readonly string[] s_peers = ["waterspout", "waterspout-tls", "networkstream", "streamreader", "pipereader", "kestrel", "sslstream"];

    /// <summary>Null if nothing of it has been measured.</summary>
    internal static string? Draw(IEnumerable<(Workload Workload, WorkloadResult Result)> all)
    {
        List<(Workload Workload, Outcome[] Outcomes)> groups = [.. all
            .Where(static pair => s_workloads.Contains(pair.Workload.Name))
            .Select(static pair => (pair.Workload, Choose(pair.Workload, pair.Result)))
            .Where(static group => group.Item2.Length > 1)];
        if (groups.Count == 0) return null;
        Svg svg = new("Server CPU per message, against what .NET has", "medians; each group has a scale of its own; less is better");
        int y = Top;
        foreach ((Workload workload, Outcome[] outcomes) in groups) y = DrawGroup(svg, workload, outcomes, y) + Gap;
        return svg.Finish(y);
    }

    private static Outcome[] Choose(Workload workload, WorkloadResult result) => [.. result.Sorted(workload).Where(static outcome => s_peers.Contains(outcome.Peer))];

    private static int DrawGroup(Svg svg, Workload workload, Outcome[] outcomes, int y)
    {
        double scale = BarWidth / outcomes.Max(outcome => outcome.Value(workload).Median);
        svg.Text(16, y + 12, workload.Title, "font-weight=\"600\"");
        foreach (Outcome outcome in outcomes)
        {
            y += RowHeight;
            double value = outcome.Value(workload).Median;
            svg.Text(Left - 10, y + 12, outcome.Peer, "text-anchor=\"end\"" + (outcome.IsOurs ? " font-weight=\"600\"" : ""));
            svg.Bar(Left, y, value * scale, BarHeight, outcome.IsOurs ? Svg.Ours : Svg.Others);
            svg.Text(Left + BarWidth + 16, y + 12, Format.Value(workload.Measure, value));
        }

        return y + RowHeight;
    }
}
