using System.Globalization;
using System.Net;
using System.Text;

namespace Waterspout.Bench.SideBySide;

/// <summary>A bar for each peer, with a whisker from the smallest to the largest value. Less is better.</summary>
internal static class SvgChart
{
    private const int RowHeight = 26, Top = 48, Left = 230, BarWidth = 440, Width = 800;

    internal static string Draw(Workload workload, IReadOnlyList<Outcome> outcomes)
    {
        StringBuilder svg = new();
        int height = Top + (outcomes.Count * RowHeight) + 12;
        svg.Append(Invariant($"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"13\">\n"));
        svg.Append(Invariant($"<rect width=\"{Width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"));
        svg.Append(Invariant($"<text x=\"10\" y=\"20\" font-size=\"15\" font-weight=\"bold\">{Escape(workload.Title)}</text>\n"));
        svg.Append(Invariant($"<text x=\"10\" y=\"38\" fill=\"#555555\">{Format.Title(workload.Measure)}: median, and smallest to largest; less is better</text>\n"));
        double largest = outcomes.Max(outcome => outcome.Value(workload).Median);
        for (int i = 0; i < outcomes.Count; i++) DrawRow(svg, workload, outcomes[i], Top + (i * RowHeight), BarWidth / largest);
        svg.Append("</svg>\n");
        return svg.ToString();
    }

    private static void DrawRow(StringBuilder svg, Workload workload, Outcome outcome, int y, double scale)
    {
        Spread value = outcome.Value(workload);
        bool isOurs = outcome.Peer.Name.StartsWith("waterspout", StringComparison.Ordinal);
        string color = isOurs ? "#0b7285" : "#adb5bd";
        // A whisker that goes far beyond the longest bar ends at the numbers.
        double min = Left + Math.Min(value.Min * scale, BarWidth + 10), max = Left + Math.Min(value.Max * scale, BarWidth + 10);
        int middle = y + 10;
        svg.Append(Invariant($"<text x=\"{Left - 8}\" y=\"{y + 14}\" text-anchor=\"end\">{Escape(outcome.Peer.Name)}</text>\n"));
        svg.Append(Invariant($"<rect x=\"{Left}\" y=\"{y}\" width=\"{value.Median * scale:0.0}\" height=\"20\" fill=\"{color}\"/>\n"));
        svg.Append(Invariant($"<path d=\"M{min:0.0} {middle}H{max:0.0}M{min:0.0} {y + 6}V{y + 14}M{max:0.0} {y + 6}V{y + 14}\" stroke=\"#343a40\" fill=\"none\"/>\n"));
        svg.Append(Invariant($"<text x=\"{Left + BarWidth + 20}\" y=\"{y + 14}\">{Format.Value(workload.Measure, value.Median)}</text>\n"));
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
