using System.Reflection;
using System.Text.RegularExpressions;
using Waterspout.Kestrel.Listening;
using Waterspout.Tests;

namespace Waterspout.Kestrel.Tests;

/// <summary>What this package uses of the library's internals is on the architecture page, and no more than that.</summary>
public sealed partial class SurfaceTests
{
    [Fact]
    public void The_internals_that_are_used_are_those_on_the_page()
    {
        Assembly library = typeof(IOLoop).Assembly;
        string[] used = [.. typeof(WaterspoutTransportFactory).Assembly.GetTypes()
            .SelectMany(TypeUses.Of)
            .Select(static use => use.Type)
            .Where(type => type.Assembly == library && !type.IsVisible)
            .Select(static type => type.Name.Split('`')[0])
            .Distinct()
            .Order(StringComparer.Ordinal)];
        string page = File.ReadAllText(Repository.PathOf("docs/architecture.md"));
        string section = page[page.IndexOf("## The web server's transport", StringComparison.Ordinal)..];
        section = section[..section.IndexOf("\n## ", 5, StringComparison.Ordinal)];
        string line = section[section.IndexOf("Internals used:", StringComparison.Ordinal)..].Split("\n\n")[0];
        string[] listed = [.. Name().Matches(line).Select(static match => match.Groups[1].Value).Order(StringComparer.Ordinal)];
        Assert.True(listed.SequenceEqual(used), $"In use are: {string.Join(", ", used.Select(static name => $"`{name}`"))}");
    }

    [GeneratedRegex("`(\\w+)`")]
    private static partial Regex Name();
}
