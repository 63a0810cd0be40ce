using System.Net;
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
        string text = await File.ReadAllTextAsync(Path.Combine(Repository.Root, guide));
        await AssertCompiledAsync(guide, CodeBlock().Matches(text).Select(static block => block.Groups[1].Value));
    }

    [Fact]
    public async Task Every_example_of_the_reference_is_part_of_the_compiled_snippets()
    {
        int count = 0;
        foreach (string file in Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories))
        {
            string[] examples = [.. Example().Matches(await File.ReadAllTextAsync(file))
                .Select(static match => WebUtility.HtmlDecode(match.Groups[1].Value.Replace("///", "", StringComparison.Ordinal)))];
            await AssertCompiledAsync(file, examples);
            count += examples.Length;
        }

        Assert.True(count > 10, "The pattern no longer finds the examples.");
    }

    [Theory]
    [MemberData(nameof(Guides))]
    public async Task Every_link_leads_to_a_file(string guide)
    {
        string path = Path.Combine(Repository.Root, guide);
        foreach (Match link in Link().Matches(await File.ReadAllTextAsync(path)))
        {
            string target = Path.Combine(Path.GetDirectoryName(path)!, link.Groups[1].Value);
            Assert.True(Path.Exists(target), $"{guide} has a link to {link.Groups[1].Value}, which does not exist.");
        }
    }

    [Fact]
    public async Task The_guides_have_code()
    {
        string text = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "getting-started.md"));
        Assert.True(CodeBlock().Count(text) > 5, "The pattern no longer finds the code.");
    }

    private static async Task AssertCompiledAsync(string place, IEnumerable<string> blocks)
    {
        string[] files = Directory.GetFiles(Path.Combine(Repository.Root, "docs", "snippets"), "*.cs");
        string[] sources = await Task.WhenAll(files.Select(async file => Normalise(await File.ReadAllTextAsync(file))));
        foreach (string block in blocks)
            Assert.True(sources.Any(source => source.Contains(Normalise(block), StringComparison.Ordinal)), $"{place} has code that docs/snippets has not:\n{block}");
    }

    private static string Normalise(string code) => Space().Replace(code, " ").Trim();

    // Without whole files, which begin with using lines or an attribute: CI compiles those with the packages alone (.ci/consume.py).
    [GeneratedRegex(@"```csharp\n(?!using [A-Z][\w.]*;|\[assembly:)(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex(@"/// <example>\s+/// <code>\n(.*?)/// </code>", RegexOptions.Singleline)]
    private static partial Regex Example();

    // Links into the repository; what follows a # is checked where the site is built.
    [GeneratedRegex(@"\]\((?!https?:)([^)#]+)[^)]*\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
