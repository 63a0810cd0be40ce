using System.Runtime.CompilerServices;
using Waterspout.Loop;

namespace Waterspout;

public sealed partial class IOLoop
{
    private readonly TimerQueue _timers = new();
    private readonly Clock _clock;

    /// <summary>The time of this turn in ticks of the loop's clock, as <see cref="TimeProvider.GetTimestamp"/> counts them.</summary>
    internal long Now => _clock.Now;

    /// <summary>Runs <paramref name="callback"/> on the loop after <paramref name="delay"/>. May be called from any thread.</summary>
    /// <param name="delay">
    /// Zero or less means the next turn; <see cref="Timeout.InfiniteTimeSpan"/> means never. Measured by a monotonic clock, rounded up to
    /// milliseconds.
    /// </param>
    /// <param name="callback">Timers that are due at the same time run in the order in which they were created.</param>
    /// <remarks>The execution context does not flow into the callback: it sees no <see cref="AsyncLocal{T}"/> values.</remarks>
    /// <returns>
    /// Disposing it, from any thread, cancels the timer: after that has returned the callback does not begin. A callback that has already
    /// begun continues.
    /// </returns>
    /// <exception cref="ObjectDisposedException">The loop has been disposed.</exception>
    public IDisposable CallLater(TimeSpan delay, Action callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return Schedule(new LoopTimer(this, callback, _clock.After(delay), 0));
    }

    /// <summary>Runs <paramref name="callback"/> on the loop every <paramref name="period"/>, the first time after one period.</summary>
    /// <remarks>
    /// The times do not drift: each is a whole number of periods after the start. Times that were missed, because the loop was delayed or
    /// the callback took longer than the period, are skipped. May be called from any thread. The execution context does not flow into the
    /// callback.
    /// </remarks>
    /// <returns>Disposing it, from any thread, ends the calls: after that has returned no call begins.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The period is not positive.</exception>
    /// <exception cref="ObjectDisposedException">The loop has been disposed.</exception>
    public IDisposable CallEvery(TimeSpan period, Action callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        TimeLimit.CheckPositive(period, nameof(period));
        return Schedule(new LoopTimer(this, callback, _clock.After(period), Math.Max(1, _clock.ToTicks(period))));
    }

    internal long TicksAfter(TimeSpan delay) => _clock.After(delay);

    internal long ToTicks(TimeSpan time) => _clock.ToTicks(time);

    /// <summary>A timer for a precomputed deadline. On the loop's thread only.</summary>
    internal LoopTimer CallAt(long deadline, Action callback)
    {
        LoopTimer timer = new(this, callback, deadline, 0);
        _timers.Add(timer);
        return timer;
    }

    /// <summary>Moves a timer that is set. On the loop's thread only.</summary>
    internal void Move(LoopTimer timer, long deadline)
    {
        _timers.Remove(timer);
        timer.Deadline = deadline;
        _timers.Add(timer);
    }

    /// <summary>This moment, on the loop's thread: that of this turn.</summary>
    internal Moment Moment => _clock.Moment;

    /// <summary>This moment, on any thread.</summary>
    internal Moment CurrentMoment => _clock.CurrentMoment;

    /// <summary>The time since a moment, on any thread; null if it is none.</summary>
    internal TimeSpan? Since(Moment moment) => moment.IsNone ? null : _clock.Since(moment);

    internal void Cancel(LoopTimer timer)
    {
        // When the loop has ended its timers are cleared, and there is nothing to remove.
        if (IsCurrent) _timers.Remove(timer);
        else TryPost((Loop: this, timer), static call => call.Loop._timers.Remove(call.timer));
    }

    private LoopTimer Schedule(LoopTimer timer)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (IsCurrent)
        {
            _timers.Add(timer);
            return timer;
        }

        Post((Loop: this, timer), static call =>
        {
            if (!call.timer.IsOver) call.Loop._timers.Add(call.timer);
        });
        return timer;
    }

    // Not inlined, like the other parts of a turn: a slot of the turn's own frame would keep what ran last alive through the wait.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void RunDueTimers()
    {
        if (_timers.First is not { } first || first.Deadline > Now) return;
        long started = Clock.Timestamp();
        // Timers created by the callbacks wait for the next turn, even if they are due at once: so this ends.
        long newest = _timers.NextSequence;
        while (_timers.First is { } timer && timer.Deadline <= Now && timer.Sequence < newest)
        {
            _timers.Remove(timer);
            Run(LoopCallback.Of(timer, static timer => timer.Run()));
            if (timer.Period > 0 && !timer.IsOver) Repeat(timer);
            started = CheckForStall(started);
        }

        _current = null;
    }

    // After the call, by the time at its end: periods that passed during it are missed too, and the loop pauses before the next call.
    private void Repeat(LoopTimer timer)
    {
        long missed = (_clock.After(TimeSpan.Zero) - timer.Deadline) / timer.Period;
        timer.Deadline += (missed + 1) * timer.Period;
        _timers.Add(timer);
    }
}
