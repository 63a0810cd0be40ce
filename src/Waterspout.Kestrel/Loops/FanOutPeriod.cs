using System.Diagnostics;

namespace Waterspout.Kestrel.Loops;

/// <summary>How long connections are work items of the pool, and no leader runs them, after one has taken long.</summary>
/// <remarks>Times are those of <see cref="Stopwatch.GetTimestamp"/>.</remarks>
internal struct FanOutPeriod
{
    /// <summary>20 ms.</summary>
    internal static readonly long Shortest = Stopwatch.Frequency / 50;

    /// <summary>1.28 s. Where handlers nearly always block, a leader is tried, and blocked, no more often than that.</summary>
    internal static readonly long Longest = 64 * Shortest;

    private long _until;
    private long _length;

    internal readonly bool IsOver(long now) => now >= _until;

    /// <summary>A connection has taken long. Where that has just happened to the last leader too, it is the rule: the period is twice as long.</summary>
    internal void Begin(long now)
    {
        bool isAgain = now - _until < Shortest;
        _length = isAgain ? Math.Min(2 * _length, Longest) : Shortest;
        _until = now + _length;
    }
}
