using System.Diagnostics;

namespace Waterspout.Loop;

/// <summary>What a time limit may be, wherever one is taken: up to <see cref="TimeSpan.MaxValue"/>, or infinite.</summary>
internal static class TimeLimit
{
    // What the platform's waits take is 2^31 ms. A longer one is as good as one for ever.
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(24);

    /// <exception cref="ArgumentOutOfRangeException">Zero, or negative and not infinite.</exception>
    internal static void CheckPositive(TimeSpan? limit, string name)
    {
        if (limit is { } time && time != Timeout.InfiniteTimeSpan) ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(time, TimeSpan.Zero, name);
    }

    /// <exception cref="ArgumentOutOfRangeException">Negative and not infinite.</exception>
    internal static void CheckNotNegative(TimeSpan? limit, string name)
    {
        if (limit is { } time && time != Timeout.InfiniteTimeSpan) ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero, name);
    }

    /// <summary>The limit as the waits of the platform take it.</summary>
    internal static TimeSpan ForSystem(TimeSpan limit) => limit <= s_longest ? limit : Timeout.InfiniteTimeSpan;

    /// <summary>What is left of a limit, as the waits of the platform take it.</summary>
    internal static TimeSpan Rest(TimeSpan? limit, long begun)
    {
        if (limit is not { } time || ForSystem(time) == Timeout.InfiniteTimeSpan) return Timeout.InfiniteTimeSpan;
        TimeSpan rest = time - Stopwatch.GetElapsedTime(begun);
        return rest > TimeSpan.Zero ? rest : TimeSpan.Zero;
    }

    /// <summary>Sets a timer on the loop; none where there is no limit.</summary>
    internal static IDisposable? Start(IOLoop loop, TimeSpan? limit, Action expired) =>
        limit is { } time ? loop.CallLater(time, expired) : null;

    /// <summary>Whether the task ends in time, and before the token is cancelled. How it ends is not looked at.</summary>
    internal static async Task<bool> EndsWithinAsync(Task task, TimeSpan limit, TimeProvider time, CancellationToken cancellationToken = default)
    {
        // The task is asked, and not how the wait ended: it may end as the limit passes.
        await task.WaitAsync(ForSystem(limit), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return task.IsCompleted;
    }
}
