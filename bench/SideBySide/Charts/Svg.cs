using System.Globalization;
using System.Net;
using System.Text;

namespace Waterspout.Bench.SideBySide;

/// <summary>An SVG picture, for light and dark pages: no background, and colours of medium brightness.</summary>
internal sealed class Svg
{
    internal const int Width = 800;
    internal const string Ours = "#0e9fb5";
    internal const string Others = "#98a4b3";

    private const string Ink = "#6e7781";

    private readonly StringBuilder _body = new();

    internal Svg(string title, string subtitle)
    {
        Text(16, 24, title, "font-size=\"16\" font-weight=\"600\"");
        Text(16, 44, subtitle, "font-size=\"12\"");
    }

    internal void Text(double x, double y, string text, string style = "") =>
        Append($"<text x=\"{x:0.#}\" y=\"{y:0.#}\" fill=\"{Ink}\" {style}>{WebUtility.HtmlEncode(text)}</text>\n");

    internal void Bar(double x, double y, double width, double height, string color) =>
        Append($"<rect x=\"{x:0.#}\" y=\"{y:0.#}\" width=\"{Math.Max(1, width):0.#}\" height=\"{height:0.#}\" rx=\"2\" fill=\"{color}\"/>\n");

    internal void Path(string path, string color = Ink, double width = 1, double opacity = 1) =>
        Append($"<path d=\"{path}\" stroke=\"{color}\" stroke-width=\"{width:0.#}\" stroke-opacity=\"{opacity:0.##}\" stroke-linejoin=\"round\" fill=\"none\"/>\n");

    internal void Dot(double x, double y, string color) => Append($"<circle cx=\"{x:0.#}\" cy=\"{y:0.#}\" r=\"3.5\" fill=\"{color}\"/>\n");

    internal string Finish(double height) => string.Create(CultureInfo.InvariantCulture,
        $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {height:0}\" width=\"{Width}\" height=\"{height:0}\" font-family=\"system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif\" font-size=\"13\">\n{_body}</svg>\n");

    private void Append(FormattableString text) => _body.Append(text.ToString(CultureInfo.InvariantCulture));
}
