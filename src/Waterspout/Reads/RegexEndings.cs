using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace Waterspout.Reads;

/// <summary>Expressions that match nothing, at every place where a match of another expression ends: that one in a lookbehind.</summary>
/// <remarks>
/// They are compiled: interpreted, a position costs hundreds of nanoseconds, compiled 4 to 5. Compiling takes milliseconds, so it
/// is done on the thread pool, and until it is done there is none. What depends on the direction in which it is matched (atomic
/// groups, back references, conditions, balancing groups, \G), or looks ahead, has none ever.
/// </remarks>
internal static class RegexEndings
{
    // Patterns that are made at run time must not pile up.
    private const int Capacity = 1000;

    // What is harmless from the left may be exponential from the right. This is far more than a search that is worth its
    // while takes, and what a loop can be held for once.
    private static readonly TimeSpan s_limit = TimeSpan.FromMilliseconds(10);

    private static readonly ConcurrentDictionary<(string Pattern, RegexOptions Options), Task<Regex?>> s_known = new();

    /// <summary>The expression for the ends of another; null where there is none, or none yet.</summary>
    internal static Regex? TryGet(Regex regex) => GetAsync(regex) is { IsCompletedSuccessfully: true } made ? made.Result : null;

    internal static Task<Regex?> GetAsync(Regex regex)
    {
        if (s_known.Count > Capacity) s_known.Clear();
        return s_known.GetOrAdd((regex.ToString(), regex.Options), static key => Task.Run(() => Make(key.Pattern, key.Options)));
    }

    private static Regex? Make(string pattern, RegexOptions options)
    {
        const RegexOptions Directed = RegexOptions.RightToLeft | RegexOptions.ECMAScript;
        if ((options & Directed) != 0 || !IsReversible(pattern)) return null;
        try
        {
            return new Regex($"(?<={pattern})", (options & ~RegexOptions.NonBacktracking) | RegexOptions.Compiled, s_limit);
        }
        catch (ArgumentException)
        {
            // A pattern that cannot be put in brackets, since it ends in a comment.
            return null;
        }
    }

    private static bool IsReversible(string pattern)
    {
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

    // The name has a minus, as in (?<-open>...). A lookbehind, which begins with = or !, has no name.
    private static bool IsBalancing(ReadOnlySpan<char> name)
    {
        int end = name.IndexOfAny('>', '\'');
        return end > 0 && name[0] is not ('=' or '!') && name[..end].Contains('-');
    }
}
