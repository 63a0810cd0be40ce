using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace Waterspout.Searching;

/// <summary>Expressions that match the empty string wherever a match of another expression ends: that expression in a lookbehind.</summary>
/// <remarks>
/// They are compiled: interpreted, a position costs hundreds of nanoseconds, compiled 4 to 5. Compiling takes milliseconds, so it is done
/// on the thread pool, and until then there is none. A pattern that cannot be reversed never gets one.
/// </remarks>
internal static class LookbehindCache
{
    // Patterns created at run time must not accumulate.
    private const int Capacity = 1000;

    // A pattern that is cheap from the left may be exponential from the right. 10 ms is far more than a worthwhile search takes, and short
    // enough to block a loop once. The limit is set only where it is needed: the engine then checks the time at each position, which raises
    // the cost from 5 to 26 ns.
    private static readonly TimeSpan s_limit = TimeSpan.FromMilliseconds(10);

    private static readonly ConcurrentDictionary<(string Pattern, RegexOptions Options), Task<Regex?>> s_known = new();

    /// <summary>The expression for the ends of another; null if there is none, or none yet.</summary>
    internal static Regex? TryGet(Regex regex) => GetAsync(regex) is { IsCompletedSuccessfully: true } made ? made.Result : null;

    internal static Task<Regex?> GetAsync(Regex regex)
    {
        if (s_known.Count > Capacity) s_known.Clear();
        return s_known.GetOrAdd((regex.ToString(), regex.Options), static key => Task.Run(() => Make(key.Pattern, key.Options)));
    }

    private static Regex? Make(string pattern, RegexOptions options)
    {
        if (!RegexPattern.IsReversible(pattern, options)) return null;
        TimeSpan limit = RegexPattern.IsBounded(pattern) ? Regex.InfiniteMatchTimeout : s_limit;
        try
        {
            return new Regex($"(?<={pattern})", (options & ~RegexOptions.NonBacktracking) | RegexOptions.Compiled, limit);
        }
        catch (ArgumentException)
        {
            // A pattern that cannot be put in parentheses, since it ends in a comment.
            return null;
        }
    }
}
