namespace Waterspout.Testing;

/// <summary>A clock that stands still until a test moves it.</summary>
/// <remarks>
/// <para>Set it as <see cref="IOLoopOptions.TimeProvider"/> of a loop, and every timer and time limit of that loop's streams follows it: no
/// test has to wait for time to pass, and none fails because the machine was slow.</para>
/// <para>A loop that runs on another thread is woken by <see cref="Advance"/> and runs its timers there, a moment later; await what they do
/// instead of expecting it to be done when the call returns. All members may be called from any thread.</para>
/// </remarks>
public sealed class ManualTimeProvider : TimeProvider
{
    private readonly Lock _state = new();
    private readonly Lock _advancing = new();
    private readonly DateTimeOffset _start;
    private readonly PriorityQueue<Firing, (long Due, long Sequence)> _queue = new();
    private long _now;
    private long _sequence;

    /// <summary>Creates a clock that shows the first of January 2000.</summary>
    public ManualTimeProvider()
        : this(new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero))
    {
    }

    /// <summary>Creates a clock that shows <paramref name="start"/>.</summary>
    public ManualTimeProvider(DateTimeOffset start) => _start = start;

    /// <summary>How far the clock has been moved since it was created.</summary>
    public TimeSpan Elapsed => new(GetTimestamp());

    /// <summary>The number of timers that are set. A test can check with it whether something still waits.</summary>
    public int TimersSet
    {
        get
        {
            lock (_state) return _queue.UnorderedItems.Count(item => item.Element.IsCurrent);
        }
    }

    /// <summary>Ticks of <see cref="TimeSpan"/>, so that any time span is represented exactly.</summary>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <inheritdoc/>
    public override long GetTimestamp() => Volatile.Read(ref _now);

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => _start + Elapsed;

    /// <summary>Moves the clock forward and fires the timers that become due, in order, on the calling thread.</summary>
    /// <param name="time">Zero fires what is already due.</param>
    /// <remarks>
    /// While a timer's callback runs, the clock shows the time that the timer was set for. Timers set by a callback fire in the same call
    /// if they are due within it. Timers with equal times fire in the order in which they were set. Concurrent calls run one after the
    /// other.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative: this clock does not go backwards.</exception>
    public void Advance(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        lock (_advancing)
        {
            long target = Add(_now, time);
            while (TakeDue(target) is { } timer) timer.Fire();
        }
    }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        ManualTimer timer = new(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private ManualTimer? TakeDue(long target)
    {
        lock (_state)
        {
            while (_queue.TryPeek(out Firing firing, out (long Due, long Sequence) key) && key.Due <= target)
            {
                _queue.Dequeue();
                if (!firing.IsCurrent) continue;
                _now = Math.Max(_now, key.Due);
                firing.Timer.Repeat(key.Due);
                return firing.Timer;
            }

            // Within the lock: a timer set by another thread is either seen above, or set at the new time.
            _now = Math.Max(_now, target);
            return null;
        }
    }

    private void Enqueue(ManualTimer timer, long due) => _queue.Enqueue(new Firing(timer, timer.Version), (due, _sequence++));

    // Times beyond the end of the clock are clamped to its end.
    private static long Add(long ticks, TimeSpan time) => time.Ticks < long.MaxValue - ticks ? ticks + time.Ticks : long.MaxValue;

    // A changed timer leaves its old entry in the queue; the version shows that it is stale.
    private readonly record struct Firing(ManualTimer Timer, int Version)
    {
        internal bool IsCurrent => Timer.Version == Version;
    }

    private sealed class ManualTimer(ManualTimeProvider clock, TimerCallback callback, object? state) : ITimer
    {
        private long _period;
        private bool _isDisposed;

        internal int Version { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Check(dueTime, nameof(dueTime));
            Check(period, nameof(period));
            lock (clock._state)
            {
                if (_isDisposed) return false;
                Version++;
                _period = Math.Max(0, period.Ticks);
                if (dueTime != Timeout.InfiniteTimeSpan) clock.Enqueue(this, Add(clock._now, dueTime));
                return true;
            }
        }

        public void Dispose()
        {
            lock (clock._state)
            {
                _isDisposed = true;
                Version++;
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }

        internal void Fire() => callback(state);

        internal void Repeat(long due)
        {
            Version++;
            if (_period > 0) clock.Enqueue(this, Add(due, new TimeSpan(_period)));
        }

        private static void Check(TimeSpan time, string name)
        {
            if (time != Timeout.InfiniteTimeSpan) ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero, name);
        }
    }
}
