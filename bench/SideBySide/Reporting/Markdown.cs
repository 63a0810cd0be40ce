using System.Globalization;
using System.Text;

namespace Waterspout.Bench.SideBySide;

/// <summary>Pieces of pages.</summary>
internal static class Markdown
{
    internal static void Row(StringBuilder page, params IEnumerable<string> cells) => page.Append("| ").AppendJoin(" | ", cells).Append(" |\n");

    internal static void Chart(StringBuilder page, string title, string name) =>
        page.Append(CultureInfo.InvariantCulture, $"![{title}]({Report.ChartFolder}/{name}.svg)\n\n");

    internal static string Commits(IEnumerable<WorkloadResult> results)
    {
        string[] commits = [.. results.Select(result => result.Commit).Distinct()];
        return $"commit{(commits.Length == 1 ? "" : "s")} {string.Join(", ", commits)}";
    }

    /// <summary>Where the numbers of one workload are from.</summary>
    internal static string Origin(WorkloadResult result) => string.Create(CultureInfo.InvariantCulture,
        $"{result.Rounds} rounds of {result.Seconds:0.##} s, commit {result.Commit}, {result.Measured:yyyy-MM-dd HH:mm} UTC");
}
