using System.Text.RegularExpressions;

namespace Waterspout.Searching;

/// <summary>What the text of an expression reveals about its matches. In doubt, it gives the less useful answer.</summary>
internal static class RegexPattern
{
    /// <summary>The character that every match certainly ends with, if there is one: for <c>\r?\n</c> it is <c>\n</c>.</summary>
    /// <remarks>Letters may equal other letters, or belong to an escape. Groups may hold options, or look ahead.</remarks>
    internal static char? LastCharacter(Regex regex)
    {
        string pattern = regex.ToString();
        if ((regex.Options & RegexOptions.IgnorePatternWhitespace) != 0 || pattern.Length == 0 || pattern.Contains('|')) return null;
        if (pattern.Contains("(?", StringComparison.Ordinal) || pattern.Contains(@"\c", StringComparison.Ordinal)) return null;
        char last = pattern[^1];
        bool isEscaped = (pattern.Length - 1 - pattern.AsSpan()[..^1].TrimEnd('\\').Length) % 2 == 1;
        return (isEscaped, last) switch
        {
            (true, 'n') => '\n',
            (true, 'r') => '\r',
            (true, 't') => '\t',
            (false, '\\' or '*' or '+' or '?' or '{' or '}' or '[' or ']' or '(' or ')' or '^' or '$' or '.') => null,
            _ => char.IsAscii(last) && !char.IsAsciiLetterOrDigit(last) ? last : null,
        };
    }

    /// <summary>The work at one position is bounded by the expression alone, not by the data.</summary>
    internal static bool IsBounded(string pattern) => pattern.AsSpan().IndexOfAny('*', '+', '{') < 0;

    /// <summary>The expression can also be matched from the right, in a lookbehind.</summary>
    /// <remarks>
    /// This excludes constructs that depend on the direction (atomic groups, back references, conditions, balancing groups, \G), and
    /// lookaheads.
    /// </remarks>
    internal static bool IsReversible(string pattern, RegexOptions options)
    {
        const RegexOptions Directed = RegexOptions.RightToLeft | RegexOptions.ECMAScript;
        if ((options & Directed) != 0) return false;
        for (int i = 0; i + 1 < pattern.Length; i++)
        {
            if (pattern[i] == '\\')
            {
                char escaped = pattern[++i];
                if (char.IsAsciiDigit(escaped) || escaped is 'k' or 'G' or '<' or '\'') return false;
            }
            else if (pattern[i] == '(' && pattern[i + 1] == '?')
            {
                ReadOnlySpan<char> group = pattern.AsSpan(i + 2);
                bool isNamed = group.StartsWith("<") || group.StartsWith("'");
                bool isPlain = group.StartsWith(":") || isNamed || (group.Length > 0 && char.IsAsciiLetter(group[0]));
                if (!isPlain || (isNamed && IsBalancing(group[1..]))) return false;
            }
        }

        return true;
    }

    // The name contains a minus, as in (?<-open>...). A lookbehind, which begins with = or !, has no name.
    private static bool IsBalancing(ReadOnlySpan<char> name)
    {
        int end = name.IndexOfAny('>', '\'');
        return end > 0 && name[0] is not ('=' or '!') && name[..end].Contains('-');
    }
}
