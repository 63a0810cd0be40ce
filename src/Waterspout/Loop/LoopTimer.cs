namespace Waterspout.Loop;

/// <summary>A callback that is due at a time. Disposing it, from any thread, cancels it.</summary>
/// <remarks>
/// The callback is released when the timer has fired for the last time or is cancelled, so that a reference to the timer keeps nothing else
/// alive.
/// </remarks>
internal sealed class LoopTimer(IOLoop loop, Action callback, long deadline, long period) : IDisposable
{
    /// <summary>Not in the queue.</summary>
    internal const int Unqueued = -1;

    private Action? _callback = callback;

    /// <summary>In ticks of the loop's clock.</summary>
    internal long Deadline { get; set; } = deadline;

    /// <summary>In ticks of the loop's clock; zero for a timer that fires once.</summary>
    internal long Period { get; } = period;

    /// <summary>Orders timers with equal deadlines by when they were queued.</summary>
    internal long Sequence { get; set; }

    /// <summary>The position of the timer in the queue's heap.</summary>
    internal int Index { get; set; } = Unqueued;

    /// <summary>The timer was cancelled, or was due once and has run.</summary>
    internal bool IsOver => Volatile.Read(ref _callback) is null;

    /// <summary>Calls back, unless the timer was cancelled before this, on any thread.</summary>
    internal void Run()
    {
        Action? callback = Period > 0 ? Volatile.Read(ref _callback) : Interlocked.Exchange(ref _callback, null);
        if (callback is null) return;
        loop.SetRunning(callback);
        callback();
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _callback, null) is not null) loop.Cancel(this);
    }
}
