using System.Globalization;
using System.Text;

namespace Waterspout.Bench.SideBySide;

/// <summary>The workloads of a sweep side by side: one row per peer, one column per workload.</summary>
internal static class SweepTable
{
    private const string Ours = "waterspout";

    internal static void Write(StringBuilder page, Sweep sweep, IReadOnlyList<(Workload Workload, WorkloadResult Result)> points)
    {
        Measure measure = points[0].Workload.Measure;
        Markdown.Row(page, ["", .. points.Select(point => sweep.InBytes ? Format.Bytes(point.Workload.X) : Format.Count(point.Workload.X))]);
        Markdown.Row(page, ["---", .. points.Select(_ => "---:")]);
        foreach (Series line in Lines(points))
        {
            Dictionary<double, Spread> values = line.Points.ToDictionary(point => point.X, point => point.Y);
            Markdown.Row(page, [line.Name, .. points.Select(point => values.TryGetValue(point.Workload.X, out Spread value) ? Format.Value(measure, value.Median) : "")]);
        }
    }

    internal static List<Series> Lines(IReadOnlyList<(Workload Workload, WorkloadResult Result)> points)
    {
        IEnumerable<string> peers = points.SelectMany(point => point.Result.Outcomes).Where(outcome => outcome.HasResult).Select(outcome => outcome.Peer).Distinct();
        return [.. peers.Select(peer => new Series(peer, peer.StartsWith(Ours, StringComparison.Ordinal), PointsOf(peer, points)))];
    }

    /// <summary>Whether our curve is as flat as its goal demands.</summary>
    internal static Verdict? Flatness(Sweep sweep, IReadOnlyList<(Workload Workload, WorkloadResult Result)> points)
    {
        double[] values = [.. PointsOf(Ours, points).Where(point => point.X >= sweep.FlatFrom).Select(point => point.Y.Median)];
        if (sweep.FlatWithin == 0 || values.Length < 2) return null;
        double ratio = values.Max() / values.Min();
        string from = sweep.InBytes ? Format.Bytes(sweep.FlatFrom) : Format.Count(sweep.FlatFrom);
        return new Verdict(string.Create(CultureInfo.InvariantCulture, $"flat within {sweep.FlatWithin} x from {from}"), $"{Format.Number(ratio)} x", ratio <= sweep.FlatWithin);
    }

    private static (double X, Spread Y)[] PointsOf(string peer, IEnumerable<(Workload Workload, WorkloadResult Result)> points) =>
        [.. points.Select(point => (point.Workload, Outcome: point.Result.Find(peer))).Where(point => point.Outcome is not null)
            .Select(point => (point.Workload.X, point.Outcome!.Value(point.Workload)))];
}
