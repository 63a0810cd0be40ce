using System.Text;
using System.Text.RegularExpressions;
using Waterspout.Searching;

namespace Waterspout.Tests;

/// <summary>At every arrival the scanner gives the result of a search of everything that has arrived.</summary>
public sealed class RegexScannerTests
{
    // Longer than what is always searched as a whole.
    private const int Lead = 1_100;

    /// <summary>An expression, its options, the letters that the data consists of, and a match.</summary>
    public static TheoryData<string, RegexOptions, string, string> Expressions => new()
    {
        { @"\r\n", RegexOptions.None, "ab\r", "\r\n" },
        { @"\r?\n\r?\n", RegexOptions.None, "abc\r\n", "\r\n\r\n" },
        { @"\n", RegexOptions.RightToLeft, "ab", "a\nb\nc" },
        { @"\r?\n", RegexOptions.IgnoreCase, "ab\r", "\r\n" },
        { "[>$#] ", RegexOptions.None, "a>", "$ " },
        { "a. # ", RegexOptions.IgnorePatternWhitespace, "bc#", "ad" },
        { "(?x)a. ", RegexOptions.None, "bc", "ad" },
        { @"a(?=.*\n)\t", RegexOptions.None, "bc", "a\tb\n" },
        { @"a$\n", RegexOptions.None, "b", "a\n" },
        { @"a\Z\n", RegexOptions.Multiline, "b", "a\n" },
        { @"a\\", RegexOptions.None, "bc", @"a\" },
        { @"a\\n", RegexOptions.None, "bc", @"a\n" },
        { @"a\.", RegexOptions.None, "bc", "a." },
        { @"\\\.", RegexOptions.None, "ab", @"\." },
        { "a.", RegexOptions.None, "bc", "ad" },
        { @"a\cJ", RegexOptions.None, "bc", "a\n" },
        { @"a\c[", RegexOptions.None, "bc[", "a\u001b" },
        { @"a\c_", RegexOptions.None, "bc_", "a\u001f" },
        { @"a\x0a", RegexOptions.None, "bc", "a\n" },
        { @"a\012", RegexOptions.None, "bc2", "a\n" },
        { "a\n|b;", RegexOptions.None, "cd", "a\n" },
        { "(?:a;)?-", RegexOptions.None, "cd", "a;-" },
        { "ab;?", RegexOptions.None, "a;", "ab" },
        { "ab;{0,2}", RegexOptions.None, "a;", "ab" },
        { @"a\b;", RegexOptions.None, "b ;", "a;" },
        { "a+;", RegexOptions.None, "ab", "aa;" },
        { @"a+b", RegexOptions.None, "ac", "aaab" },
        { @"a+?b", RegexOptions.None, "ac", "aaab" },
        { @"ab|cd|ef", RegexOptions.None, "ace", "cdef" },
        { @"(ab|a)(bc|c)", RegexOptions.None, "ad", "abc" },
        { @"a.*b", RegexOptions.None, "ac\n", "acab" },
        { @"a.*?b", RegexOptions.None, "ac\n", "acab" },
        { @"(?s)a.{3}b", RegexOptions.None, "ac\n", "a\ncab" },
        { @"^end$", RegexOptions.None, "edn", "end" },
        { @"^end$", RegexOptions.Multiline, "edn\n", "\nend\n" },
        { @"end$", RegexOptions.None, "ednx", "end\n" },
        { @"end\Z", RegexOptions.None, "ednx", "end" },
        { @"end\z", RegexOptions.None, "ednx", "end" },
        { @"\Aend", RegexOptions.None, "nd", "end" },
        { @"\bword\b", RegexOptions.None, "word_ ", " word " },
        { @"word\b", RegexOptions.None, "wrd_", "word_ word " },
        { @"word\B", RegexOptions.None, "wrd ", "word words" },
        { @"\Bd\b", RegexOptions.None, "wor ", "word " },
        { @"a(?=b)", RegexOptions.None, "ac", "ab" },
        { @"a(?!b)", RegexOptions.None, "bc", "ac" },
        { @"(?<=a)b", RegexOptions.None, "ac", "ab" },
        { @"(?<!a)b", RegexOptions.None, "ac", "abcb" },
        { @"(?<=a.)b", RegexOptions.None, "ac", "acb" },
        { @"(?>a+)b", RegexOptions.None, "ac", "aab" },
        { @"(a|b)\1c", RegexOptions.None, "ab", "aac" },
        { @"(?<q>[ab])c\k<q>", RegexOptions.None, "bc", "aca" },
        { @"(?<q>[ab])c\<q>", RegexOptions.None, "bc", "aca" },
        { @"(?<q>[ab])c\'q'", RegexOptions.None, "bc", "aca" },
        { @"(a)?(?(1)b|cc)d", RegexOptions.None, "abc", "abd" },
        { @"(?<o>\()+x(?<-o>\))+(?(o)(?!))", RegexOptions.None, "(xy", "((x))" },
        { @"(?<o>a)(?<c-o>b)", RegexOptions.None, "ac", "ab" },
        { @"(?'o'a)(?'c-o'b)", RegexOptions.None, "ac", "ab" },
        { @"(?i)EnD", RegexOptions.None, "edNE", "eND" },
        { @"end", RegexOptions.IgnoreCase, "edNE", "eND" },
        { "(?x) e n d # the end", RegexOptions.None, "ednx", "end" },
        { "e n d # the end", RegexOptions.IgnorePatternWhitespace, "ednx", "end" },
        { "e n d(?# the end)", RegexOptions.IgnorePatternWhitespace, "ednx", "end" },
        { @"a[^b]*b", RegexOptions.NonBacktracking, "ac", "acb" },
        { @"ab|a", RegexOptions.NonBacktracking, "bc", "ab" },
        { @"[\d-[5]]{3}", RegexOptions.None, "1a5", "123" },
        { @"(?:a|b){2,3}c", RegexOptions.Compiled, "abd", "abac" },
        { @"a{2}", RegexOptions.ECMAScript, "abc", "aa" },
        { @"\x80\xff", RegexOptions.None, "\u0080\u00fea", "\u0080\u00ff" },
        { @"(?m)^a$\n", RegexOptions.None, "ab", "\na\n" },
        { @"\Ga", RegexOptions.None, "b", "a" },
        { @"x*\z", RegexOptions.None, "xy", "x" },
        { @"q?", RegexOptions.None, "ab", "q" },
        { @"a(?:b|(?:cd)+)e", RegexOptions.ExplicitCapture, "abcd", "acdcde" },
    };

    [Theory]
    [MemberData(nameof(Expressions))]
    public async Task Every_arrival_gives_what_a_search_of_everything_gives(string pattern, RegexOptions options, string letters, string sample)
    {
        Regex regex = new(pattern, options | RegexOptions.CultureInvariant);
        await LookbehindCache.GetAsync(regex);
        for (int seed = 0; seed < 6; seed++)
        {
            Random random = new(seed);
            string message = Make(random, letters, random.Next(100)) + sample + Make(random, letters, random.Next(60));
            CheckArrivals(regex, message, random, largest: seed == 0 ? 1 : 40);
            // After data of one letter that matches hardly anything, so that most expressions get as far as their reverse.
            string lead = new(seed % 2 == 0 ? 'z' : letters[^1], Lead);
            CheckArrivals(regex, lead + message, random, largest: seed == 0 ? 1 : 40);
        }
    }

    [Fact]
    public async Task An_expression_that_is_harmless_forwards_is_harmless_in_reverse()
    {
        // From the left nothing begins without a y. From the right there are exponentially many ways to match the x.
        Regex regex = new("y(?:x+x+)+");
        Assert.NotNull(await LookbehindCache.GetAsync(regex));
        RegexScanner scanner = new(regex);
        byte[] data = [.. Enumerable.Repeat((byte)'a', 2 * Lead), .. Enumerable.Repeat((byte)'x', 60), .. "yxx"u8];
        for (int arrived = Lead; arrived < data.Length; arrived++) Assert.Equal(-1, scanner.FindEnd(data.AsSpan(0, arrived)));
        Assert.Equal(data.Length, scanner.FindEnd(data));
        scanner.Release();
    }

    [Fact]
    public void What_cannot_end_a_match_is_not_even_widened()
    {
        RegexScanner scanner = new(new Regex(@"\r?\n"));
        byte[] data = [.. Enumerable.Repeat((byte)'a', 3 * Lead), .. "\r\n"u8];
        for (int arrived = 1; arrived < data.Length; arrived += Lead / 2) Assert.Equal(-1, scanner.FindEnd(data.AsSpan(0, arrived)));
        Assert.False(scanner.HoldsMemory);
        Assert.Equal(data.Length, scanner.FindEnd(data));
        Assert.True(scanner.HoldsMemory);
        scanner.Release();
    }

    [Fact]
    public void The_time_limit_of_an_expression_holds()
    {
        RegexScanner scanner = new(new Regex("^(?:x|xx)+$", RegexOptions.None, TimeSpan.FromMilliseconds(1)));
        byte[] data = [.. Enumerable.Repeat((byte)'x', 60), .. "z"u8];
        Assert.Throws<RegexMatchTimeoutException>(() => scanner.FindEnd(data));
        scanner.Release();
    }

    private static void CheckArrivals(Regex regex, string message, Random random, int largest)
    {
        byte[] data = Encoding.Latin1.GetBytes(message);
        RegexScanner scanner = new(regex);
        for (int arrived = message.Length > Lead ? Lead - 5 : 0; arrived <= data.Length; arrived += random.Next(1, largest + 1))
        {
            Match match = regex.Match(message[..arrived]);
            int expected = match.Success ? match.Index + match.Length : -1;
            int found = scanner.FindEnd(data.AsSpan(0, arrived));
            Assert.True(expected == found, $"{regex} ended at {found} and not at {expected} after {arrived} of {Escape(message)}");
            if (expected >= 0) break;
        }

        scanner.Release();
    }

    private static string Make(Random random, string letters, int length) =>
        string.Create(length, (random, letters), static (text, state) => state.random.GetItems(state.letters.AsSpan(), text));

    private static string Escape(string message) => message.TrimStart('z').Replace("\r", "\\r").Replace("\n", "\\n");
}
