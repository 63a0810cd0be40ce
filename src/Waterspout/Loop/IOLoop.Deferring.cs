using System.Diagnostics;
using System.Runtime.CompilerServices;
using Waterspout.Loop;

namespace Waterspout;

public sealed partial class IOLoop
{
    /// <summary>How long deferred work may take in a turn, in ticks of <see cref="Stopwatch"/>: 20 microseconds.</summary>
    /// <remarks>An event that arrives meanwhile waits for half of it. All of them share it, so that their number does not count.</remarks>
    internal static readonly long DeferredTicks = Stopwatch.Frequency / 50_000;

    // So deferred work has at least a tenth of a loop that is always busy. In every turn it would be in each round trip of a connection that
    // exchanges single messages: 140 microseconds instead of 30.
    private static readonly long s_longestWait = 10 * DeferredTicks;

    private readonly Queue<LoopCallback> _deferred = [];
    private long _waitingSince; // if there is deferred work

    /// <summary>
    /// Queues work that has used up its time in this turn, after all other deferred work. Called on the loop. Dropped when the loop ends.
    /// </summary>
    internal void Defer<T>(T state, Action<T> function)
    {
        if (_deferred.Count == 0) _waitingSince = Clock.Timestamp();
        _deferred.Enqueue(LoopCallback.Of(state, function));
    }

    /// <summary>Runs deferred work when the loop has nothing else to do, or when that work has waited long enough.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void RunDeferred(bool isIdle)
    {
        if (_deferred.Count == 0) return;
        long started = Clock.Timestamp();
        if (!isIdle && started - _waitingSince < s_longestWait) return;
        long end = started + DeferredTicks;
        int count = _deferred.Count;
        do
        {
            Run(_deferred.Dequeue());
            started = CheckForStall(started);
        }
        while (--count > 0 && Clock.Timestamp() < end);
        _waitingSince = Clock.Timestamp();
    }
}
