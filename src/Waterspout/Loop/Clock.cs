using System.Diagnostics;

namespace Waterspout.Loop;

/// <summary>A loop's time: read once a turn, and converted into the timeout of the poller.</summary>
/// <remarks>
/// With the system's clock the poller's own timeout ends the wait. With any other clock the poller cannot know when a timer will be due, so
/// it waits without limit, and a timer of that clock wakes it.
/// </remarks>
internal sealed class Clock : IDisposable
{
    // Longer times are treated as infinite, and no sum with this one overflows.
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(40000);

    // The system's timers accept at most 49 days. An alarm that rings early is set again.
    private static readonly TimeSpan s_longestAlarm = TimeSpan.FromDays(1);

    private readonly TimeProvider _provider;
    private readonly bool _isSystem;
    private readonly long _epoch;
    private readonly int _momentShift;
    private readonly ITimer? _alarm;
    private long _alarmDeadline = long.MaxValue;

    internal Clock(TimeProvider provider, IOLoop loop)
    {
        _provider = provider;
        _isSystem = provider == TimeProvider.System;
        _momentShift = (int)Math.Log2(provider.TimestampFrequency / 100.0);
        _epoch = provider.GetTimestamp();
        if (provider != TimeProvider.System)
        {
            _alarm = ContextFlow.Suppress(
                () => provider.CreateTimer(_ => Ring(loop), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan));
        }
        Update();
    }

    /// <summary>The time of the last <see cref="Update()"/>, in the provider's ticks.</summary>
    internal long Now { get; private set; }

    /// <summary>The moment of <see cref="Now"/>.</summary>
    internal Moment Moment => ToMoment(Now);

    /// <summary>This moment, on any thread.</summary>
    internal Moment CurrentMoment => ToMoment(_provider.GetTimestamp());

    internal void Update() => Now = _provider.GetTimestamp();

    /// <summary>The same, when <see cref="Timestamp"/> has just been read.</summary>
    internal void Update(long timestamp) => Now = _isSystem ? timestamp : _provider.GetTimestamp();

    /// <summary>The time that has passed. On any thread.</summary>
    internal TimeSpan Since(Moment moment)
    {
        long passed = (long)(CurrentMoment.Value - moment.Value) << _momentShift;
        return TimeSpan.FromSeconds((double)passed / _provider.TimestampFrequency);
    }

    internal long ToTicks(TimeSpan time) => (long)Math.Ceiling(Bound(time).TotalSeconds * _provider.TimestampFrequency);

    internal long After(TimeSpan delay) => _provider.GetTimestamp() + Math.Max(0, ToTicks(delay));

    /// <summary>How long the poller may wait: -1 for no limit. Rounded up, since a wait that ends early makes the loop spin.</summary>
    internal long MillisecondsUntilNextTimer(LoopTimer? first)
    {
        if (first is null) return -1;
        long ticks = first.Deadline - _provider.GetTimestamp();
        if (ticks <= 0) return 0;
        if (_alarm is null)
            return Math.Min((long)Math.Ceiling(ticks * 1000.0 / _provider.TimestampFrequency), int.MaxValue);
        // The clock may be moved after it is read and before the alarm is set, which is then late by as much.
        while (first.Deadline != _alarmDeadline)
        {
            SetAlarm(first.Deadline, ticks);
            long left = first.Deadline - _provider.GetTimestamp();
            if (left <= 0) return 0;
            if (ticks - left > _provider.TimestampFrequency / 1000) _alarmDeadline = long.MaxValue;
            ticks = left;
        }

        // The alarm may have rung meanwhile; it has then queued a callback.
        return -1;
    }

    public void Dispose() => _alarm?.Dispose();

    /// <summary>The clock for measurements. It is the machine's even if the loop uses a test's clock.</summary>
    internal static long Timestamp() => Stopwatch.GetTimestamp();

    internal static long ToStopwatchTicks(TimeSpan time) => (long)(Bound(time).TotalSeconds * Stopwatch.Frequency);

    internal static double ToSeconds(long stopwatchTicks) => (double)stopwatchTicks / Stopwatch.Frequency;

    internal static double ToMilliseconds(long stopwatchTicks) => stopwatchTicks * 1000.0 / Stopwatch.Frequency;

    // One more, so that none is at the beginning.
    private Moment ToMoment(long ticks) => new((uint)((ticks - _epoch) >> _momentShift) + 1);

    private void SetAlarm(long deadline, long ticks)
    {
        _alarmDeadline = deadline;
        // Rounded up: an alarm that rings early is set again, but that costs a turn.
        TimeSpan time = TimeSpan.FromTicks((long)Math.Ceiling((double)ticks * TimeSpan.TicksPerSecond / _provider.TimestampFrequency));
        _alarm!.Change(time < s_longestAlarm ? time : s_longestAlarm, Timeout.InfiniteTimeSpan);
    }

    private static TimeSpan Bound(TimeSpan time) => time < s_longest && time != Timeout.InfiniteTimeSpan ? time : s_longest;

    private void Ring(IOLoop loop) => loop.TryPost(this, static clock => clock._alarmDeadline = long.MaxValue);
}
