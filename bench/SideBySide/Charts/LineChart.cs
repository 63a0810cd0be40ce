using System.Globalization;
using System.Text;

namespace Waterspout.Bench.SideBySide;

/// <summary>A line of a chart.</summary>
internal sealed record Series(string Name, bool IsOurs, IReadOnlyList<(double X, Spread Y)> Points);

/// <summary>A line for each peer, over a number that grows by factors. Less is better.</summary>
internal static class LineChart
{
    private const double Left = 76, Right = 650, Top = 72, Bottom = 340;

    // Beyond this ratio small values could not be distinguished from zero.
    private const double LinearUpTo = 25;

    private static readonly string[] s_colors = ["#8b6fd6", "#c98a1b", "#d1605e", "#4c9f70", "#5b8def", "#a36b4f"];

    internal static string Draw(Sweep sweep, Measure measure, IReadOnlyList<Series> all)
    {
        double[] xs = [.. all.SelectMany(series => series.Points).Select(point => point.X).Distinct().Order()];
        double[] ys = [.. all.SelectMany(series => series.Points).Select(point => point.Y.Median)];
        Scale x = Scale.Logarithmic(xs[0], xs[^1], Left, Right);
        Scale y = ys.Max() / ys.Min() > LinearUpTo ? Scale.Logarithmic(ys.Min(), ys.Max(), Bottom, Top, toDecades: true) : Scale.Linear(ys.Max(), Bottom, Top);
        Svg svg = new(sweep.Title, $"median, and smallest to largest; less is better{(y.IsLogarithmic ? "; both axes are logarithmic" : "")}");
        DrawGrid(svg, sweep, measure, xs, x, y);
        for (int i = 0; i < all.Count; i++) DrawLine(svg, all[i], ColorOf(all, i), x, y);
        DrawNames(svg, all, y);
        return svg.Finish(Bottom + 54);
    }

    private static string ColorOf(IReadOnlyList<Series> all, int index) =>
        all[index].IsOurs ? Svg.Ours : s_colors[all.Take(index).Count(series => !series.IsOurs) % s_colors.Length];

    private static void DrawGrid(Svg svg, Sweep sweep, Measure measure, double[] xs, Scale x, Scale y)
    {
        foreach (double tick in y.Ticks())
        {
            svg.Path(Invariant($"M{Left} {y.At(tick):0.#}H{Right}"), opacity: 0.25);
            svg.Text(Left - 8, y.At(tick) + 4, Format.Tick(measure, tick), "font-size=\"11\" text-anchor=\"end\"");
        }

        svg.Path(Invariant($"M{Left} {Bottom}H{Right}"));
        foreach (double tick in xs)
        {
            svg.Path(Invariant($"M{x.At(tick):0.#} {Bottom}v5"));
            svg.Text(x.At(tick), Bottom + 20, sweep.InBytes ? Format.Bytes(tick) : Format.Count(tick), "font-size=\"11\" text-anchor=\"middle\"");
        }

        svg.Text((Left + Right) / 2, Bottom + 42, sweep.Axis, "font-size=\"12\" text-anchor=\"middle\"");
    }

    private static void DrawLine(Svg svg, Series series, string color, Scale x, Scale y)
    {
        StringBuilder line = new(), whiskers = new();
        foreach ((double at, Spread value) in series.Points)
        {
            line.Append(Invariant($"{(line.Length == 0 ? 'M' : 'L')}{x.At(at):0.#} {y.At(value.Median):0.#}"));
            whiskers.Append(Invariant($"M{x.At(at):0.#} {Math.Min(Bottom, y.At(value.Min)):0.#}V{Math.Max(Top - 8, y.At(value.Max)):0.#}"));
        }

        svg.Path(whiskers.ToString(), color, 1, 0.6);
        svg.Path(line.ToString(), color, series.IsOurs ? 3 : 1.8);
        foreach ((double at, Spread value) in series.Points) svg.Dot(x.At(at), y.At(value.Median), color);
    }

    // At the ends of the lines, in their order, and at least a line of text apart.
    private static void DrawNames(Svg svg, IReadOnlyList<Series> all, Scale y)
    {
        const double LineHeight = 17;
        int[] order = [.. Enumerable.Range(0, all.Count).OrderBy(i => y.At(all[i].Points[^1].Y.Median))];
        double[] at = [.. order.Select(i => y.At(all[i].Points[^1].Y.Median) + 4)];
        for (int i = 1; i < at.Length; i++) at[i] = Math.Max(at[i], at[i - 1] + LineHeight);
        double limit = Bottom + 4;
        for (int i = at.Length - 1; i >= 0; i--, limit -= LineHeight) at[i] = Math.Min(at[i], limit);
        for (int i = 0; i < order.Length; i++)
        {
            Series series = all[order[i]];
            svg.Bar(Right + 14, at[i] - 7, 12, 4, ColorOf(all, order[i]));
            svg.Text(Right + 32, at[i], series.Name, series.IsOurs ? "font-weight=\"600\"" : "");
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
