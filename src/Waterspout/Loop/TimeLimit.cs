using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace Waterspout.Loop;

/// <summary>The rules for time limits, wherever one is accepted: up to <see cref="TimeSpan.MaxValue"/>, or infinite.</summary>
internal static class TimeLimit
{
    // The platform's waits accept at most 2^31 ms. A longer limit is treated as infinite.
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(24);

    /// <exception cref="ArgumentOutOfRangeException">Zero, or negative and not infinite.</exception>
    internal static void CheckPositive(TimeSpan? limit, string name)
    {
        if (IsFinite(limit)) ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(limit.Value, TimeSpan.Zero, name);
    }

    /// <exception cref="ArgumentOutOfRangeException">Negative and not infinite.</exception>
    internal static void CheckNotNegative(TimeSpan? limit, string name)
    {
        if (IsFinite(limit)) ArgumentOutOfRangeException.ThrowIfLessThan(limit.Value, TimeSpan.Zero, name);
    }

    /// <summary>There is a limit, and it is not infinite.</summary>
    internal static bool IsFinite([NotNullWhen(true)] TimeSpan? limit) => limit is { } time && time != Timeout.InfiniteTimeSpan;

    /// <summary>The limit in the form that the platform's waits accept.</summary>
    internal static TimeSpan ForSystem(TimeSpan limit) => limit <= s_longest ? limit : Timeout.InfiniteTimeSpan;

    /// <summary>The rest of a limit, in the form that the platform's waits accept.</summary>
    internal static TimeSpan Rest(TimeSpan? limit, long begun)
    {
        if (limit is not { } time || ForSystem(time) == Timeout.InfiniteTimeSpan) return Timeout.InfiniteTimeSpan;
        TimeSpan rest = time - Stopwatch.GetElapsedTime(begun);
        return rest > TimeSpan.Zero ? rest : TimeSpan.Zero;
    }

    /// <summary>Sets a timer on the loop; null if there is no limit.</summary>
    internal static IDisposable? Start(IOLoop loop, TimeSpan? limit, Action expired) =>
        limit is { } time ? loop.CallLater(time, expired) : null;

    /// <summary>Whether the task completes in time, and before the token is cancelled. Its outcome is not checked.</summary>
    internal static async Task<bool> EndsWithinAsync(
        Task task, TimeSpan limit, TimeProvider time, CancellationToken cancellationToken = default)
    {
        // Check the task, not how the wait ended: the task may complete just as the limit expires.
        await task.WaitAsync(ForSystem(limit), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return task.IsCompleted;
    }
}
