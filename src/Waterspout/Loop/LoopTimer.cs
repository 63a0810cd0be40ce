namespace Waterspout.Loop;

/// <summary>A callback that is due at a time. Disposing it, from any thread, cancels it.</summary>
internal sealed class LoopTimer(IOLoop loop, Action callback, long deadline, long period) : IDisposable
{
    /// <summary>Not in the queue.</summary>
    internal const int Unqueued = -1;

    private volatile bool _cancelled;

    internal Action Callback { get; } = callback;

    /// <summary>In ticks of the loop's clock.</summary>
    internal long Deadline { get; set; } = deadline;

    /// <summary>In ticks of the loop's clock; zero for a timer that fires once.</summary>
    internal long Period { get; } = period;

    /// <summary>Orders timers of equal deadline by the time at which they were queued.</summary>
    internal long Sequence { get; set; }

    /// <summary>Where the timer stands in the queue's heap.</summary>
    internal int Index { get; set; } = Unqueued;

    internal bool IsCancelled => _cancelled;

    public void Dispose()
    {
        if (_cancelled) return;
        _cancelled = true;
        loop.Cancel(this);
    }
}
