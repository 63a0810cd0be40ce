using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace Waterspout.Searching;

/// <summary>The expressions for patterns given as strings: parsing one costs more than most reads.</summary>
internal static class PatternCache
{
    // More than any protocol uses. Patterns created at run time must not accumulate.
    private const int Capacity = 256;

    private static readonly ConcurrentDictionary<string, Regex> s_expressions = new();

    internal static Regex Get(string pattern)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        if (s_expressions.TryGetValue(pattern, out Regex? known)) return known;
        if (s_expressions.Count >= Capacity) s_expressions.Clear();
        return s_expressions.GetOrAdd(pattern, static text => new Regex(text, RegexOptions.CultureInvariant));
    }
}
