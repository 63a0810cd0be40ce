using System.Diagnostics;
using System.Runtime.CompilerServices;
using Waterspout.Loop;

namespace Waterspout;

public sealed partial class IOLoop
{
    /// <summary>What one stream may compute in a turn, in ticks of <see cref="Stopwatch"/>: 50 microseconds.</summary>
    /// <remarks>
    /// All deferred streams together have the same time in the next turn, so that their number does not delay the others.
    /// </remarks>
    internal static readonly long ComputeTicks = Stopwatch.Frequency / 20_000;

    private readonly Queue<LoopCallback> _deferred = [];

    /// <summary>
    /// Queues work that has used up its time in this turn, after all other deferred work. Called on the loop. Dropped when the loop ends.
    /// </summary>
    internal void Defer<T>(T state, Action<T> function) => _deferred.Enqueue(LoopCallback.Of(state, function));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void RunDeferred()
    {
        if (_deferred.Count == 0) return;
        long started = Clock.Timestamp();
        long end = started + ComputeTicks;
        int count = _deferred.Count;
        do
        {
            Run(_deferred.Dequeue());
            started = CheckForStall(started);
        }
        while (--count > 0 && Clock.Timestamp() < end);
    }
}
