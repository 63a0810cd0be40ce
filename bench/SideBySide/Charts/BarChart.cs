using System.Globalization;

namespace Waterspout.Bench.SideBySide;

/// <summary>A bar for each peer, with a whisker from the smallest to the largest value. Less is better.</summary>
internal static class BarChart
{
    private const int RowHeight = 26, BarHeight = 18, Top = 62, Left = 176, BarWidth = 494;

    internal static string Draw(Workload workload, IReadOnlyList<Outcome> outcomes)
    {
        string spread = workload.Measure == Measure.Memory ? "" : ": median, and smallest to largest";
        Svg svg = new(workload.Title, $"{Format.Title(workload.Measure)}{spread}; less is better");
        double largest = outcomes.Max(outcome => outcome.Value(workload).Median);
        double scale = largest > 0 ? BarWidth / largest : 0;
        for (int i = 0; i < outcomes.Count; i++) DrawRow(svg, workload, outcomes[i], Top + (i * RowHeight), scale);
        return svg.Finish(Top + (outcomes.Count * RowHeight) + 10);
    }

    private static void DrawRow(Svg svg, Workload workload, Outcome outcome, int y, double scale)
    {
        Spread value = outcome.Value(workload);
        string weight = outcome.IsOurs ? " font-weight=\"600\"" : "";
        svg.Text(Left - 10, y + 14, outcome.Peer, "text-anchor=\"end\"" + weight);
        svg.Bar(Left, y, Math.Max(0, value.Median) * scale, BarHeight, outcome.IsOurs ? Svg.Ours : Svg.Others);
        if (value.Max > value.Min) DrawWhisker(svg, value, y + (BarHeight / 2), scale);
        svg.Text(Left + BarWidth + 24, y + 14, Format.Value(workload.Measure, value.Median), weight);
    }

    // A whisker far beyond the longest bar ends at the numbers.
    private static void DrawWhisker(Svg svg, Spread value, double y, double scale)
    {
        double min = Left + Math.Clamp(value.Min * scale, 0, BarWidth + 14), max = Left + Math.Clamp(value.Max * scale, 0, BarWidth + 14);
        svg.Path(string.Create(CultureInfo.InvariantCulture, $"M{min:0.#} {y}H{max:0.#}M{min:0.#} {y - 4}v8M{max:0.#} {y - 4}v8"));
    }
}
