using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace Waterspout.Searching;

/// <summary>Expressions that match nothing, at every place where a match of another expression ends: that one in a lookbehind.</summary>
/// <remarks>
/// They are compiled: interpreted, a position costs hundreds of nanoseconds, compiled 4 to 5. Compiling takes milliseconds, so it
/// is done on the thread pool, and until it is done there is none. What is not reversible has none ever.
/// </remarks>
internal static class LookbehindCache
{
    // Patterns that are made at run time must not pile up.
    private const int Capacity = 1000;

    // What is harmless from the left may be exponential from the right. This is far more than a search that is worth its
    // while takes, and what a loop can be held for once. Only where it is needed: the engine asks for the time at each
    // position, which makes 26 ns of 5.
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
        if (!RegexPattern.IsReversible(pattern, options)) return null;
        TimeSpan limit = RegexPattern.IsBounded(pattern) ? Regex.InfiniteMatchTimeout : s_limit;
        try
        {
            return new Regex($"(?<={pattern})", (options & ~RegexOptions.NonBacktracking) | RegexOptions.Compiled, limit);
        }
        catch (ArgumentException)
        {
            // A pattern that cannot be put in brackets, since it ends in a comment.
            return null;
        }
    }
}
