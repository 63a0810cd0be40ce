using Microsoft.Extensions.Logging;
using Waterspout.Diagnostics;
using Waterspout.Loop;

namespace Waterspout;

public sealed partial class IOLoop
{
    // In its first turns a loop runs mostly code that is compiled just then. That blocks it for 100 ms and more, and is not a mistake of
    // the program.
    private const int FirstTurns = 100;

    private readonly long _stallTicks;
    private object? _current;

    /// <summary>
    /// What runs on the loop: a callback, or the object that calls it. Null while the loop waits. Written by its thread, read by the
    /// watchdog.
    /// </summary>
    internal object? Running => Volatile.Read(ref _current);

    /// <summary>Set while the loop runs, unless stalls are not measured.</summary>
    internal Watchdog? Watchdog { get; private set; }

    /// <summary>Records what runs now, for code that can name it more exactly than the loop.</summary>
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
