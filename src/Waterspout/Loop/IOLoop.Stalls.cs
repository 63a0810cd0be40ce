using Microsoft.Extensions.Logging;
using Waterspout.Diagnostics;
using Waterspout.Loop;

namespace Waterspout;

public sealed partial class IOLoop
{
    // In its first turns nearly everything that a loop runs is compiled before. That holds it for 100 ms and more, and is nobody's mistake.
    private const int FirstTurns = 100;

    private readonly long _stallTicks;
    private object? _current;

    /// <summary>What holds the loop: a callback, or who has it called. Null while the loop waits. Written by its thread, read by the watchdog.</summary>
    internal object? Running => Volatile.Read(ref _current);

    /// <summary>While the loop runs, unless stalls are not measured.</summary>
    internal Watchdog? Watchdog { get; private set; }

    /// <summary>Says what runs now, more exactly than the loop can know.</summary>
    internal void SetRunning(object? callback) => _current = callback;

    private Watchdog? WatchStalls() => Watchdog = _stallTicks == long.MaxValue ? null : new Watchdog(this);

    private long CheckForStall(long started)
    {
        if (_stallTicks == long.MaxValue) return started;
        long now = Clock.Timestamp();
        if (now - started >= _stallTicks) ReportStall(now - started);
        return now;
    }

    private void ReportStall(long ticks)
    {
        Counters.Stalls++;
        LogLevel level = Turn > FirstTurns ? LogLevel.Warning : LogLevel.Debug;
        if (!Logger.IsEnabled(level)) return;
        double milliseconds = Clock.ToMilliseconds(ticks);
        string callback = CallbackName.Of(_current);
        Log.Stalled(Logger, level, Name, milliseconds, Options.StallThreshold.TotalMilliseconds, callback);
    }
}
