using System.Text.RegularExpressions;

namespace Waterspout.Interop.Tests;

/// <summary>The code in the guides is code that compiles.</summary>
public sealed partial class GuideTests
{
    public static TheoryData<string> Guides =>
    [
        "README.md",
        .. Directory.GetFiles(Path.Combine(Repository.Root, "docs"), "*.md").Select(path => Path.GetRelativePath(Repository.Root, path)).Order(),
    ];

    [Theory]
    [MemberData(nameof(Guides))]
    public async Task Every_block_of_code_is_part_of_the_compiled_snippets(string guide)
    {
        string[] files = Directory.GetFiles(Path.Combine(Repository.Root, "docs", "snippets"), "*.cs");
        string[] sources = await Task.WhenAll(files.Select(async file => Normalise(await File.ReadAllTextAsync(file))));
        string text = await File.ReadAllTextAsync(Path.Combine(Repository.Root, guide));
        foreach (Match block in CodeBlock().Matches(text))
            Assert.True(sources.Any(source => source.Contains(Normalise(block.Groups[1].Value), StringComparison.Ordinal)), $"{guide} has code that docs/snippets has not:\n{block.Groups[1].Value}");
    }

    [Fact]
    public async Task The_guides_have_code()
    {
        string text = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "getting-started.md"));
        Assert.True(CodeBlock().Count(text) > 5, "The pattern no longer finds the code.");
    }

    private static string Normalise(string code) => Space().Replace(code, " ").Trim();

    [GeneratedRegex(@"```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
