using System.Text.RegularExpressions;

namespace Waterspout.Interop.Tests;

/// <summary>The tests named by the page on behaviour exist.</summary>
public sealed partial class BehaviourTests
{
    [Fact]
    public async Task Every_test_that_is_named_exists()
    {
        string[] files = Directory.GetFiles(Path.Combine(Repository.Root, "tests"), "*.cs", SearchOption.AllDirectories);
        ILookup<string, string> sources = files.ToLookup(path => Path.GetFileNameWithoutExtension(path)!, File.ReadAllText);
        MatchCollection names = Name().Matches(await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "behaviour.md")));
        Assert.True(names.Count > 50, "The pattern no longer finds the names.");
        Assert.All(names, name => Assert.Contains(sources[name.Groups[1].Value], source => source.Contains($" {name.Groups[2].Value}(", StringComparison.Ordinal)));
    }

    [GeneratedRegex("`([A-Z]\\w+)\\.([A-Z]\\w+_\\w+)`")]
    private static partial Regex Name();
}
