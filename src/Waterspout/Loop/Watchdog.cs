using System.Numerics;
using System.Runtime.CompilerServices;
using Waterspout.Diagnostics;

namespace Waterspout.Loop;

/// <summary>Logs which callback blocks a loop while it does, which may be for ever.</summary>
/// <remarks>
/// It checks the loop from another thread once a period. What it finds twice in the same turn has blocked the loop for that long. So the
/// loop itself only stores what it runs.
/// </remarks>
internal sealed class Watchdog : IDisposable
{
    // Often enough for watching a program that hangs, and a negligible cost per second.
    private static readonly TimeSpan s_shortestPeriod = TimeSpan.FromSeconds(1);

    private readonly IOLoop _loop;
    private readonly Timer _timer;
    private readonly Lock _looking = new();
    private long _turn;
    private int _hash; // not the callback itself, which would be kept alive after it has run
    private long _since;
    private uint _looks;
    private bool _isReady;

    internal Watchdog(IOLoop loop)
    {
        _loop = loop;
        TimeSpan threshold = loop.Options.StallThreshold;
        TimeSpan period = TimeLimit.ForSystem(threshold > s_shortestPeriod ? threshold : s_shortestPeriod);
        // The first check is immediate: it creates the threads that the checks run on. The runtime needs descriptors for those, and ends
        // the process if there is none, which is what a server under load may have run into by the end of the period.
        _timer = ContextFlow.Suppress(() => new Timer(static watchdog => ((Watchdog)watchdog!).OnTimer(), this, TimeSpan.Zero, period));
    }

    /// <summary>
    /// Logs what has blocked the loop since the previous check, and after that at the second, fourth, eighth check and so on.
    /// </summary>
    internal void Look()
    {
        lock (_looking)
        {
            object? running = _loop.Running;
            int hash = RuntimeHelpers.GetHashCode(running);
            long turn = _loop.Turn;
            if (running is null || turn != _turn || hash != _hash)
            {
                (_turn, _hash, _since, _looks) = (turn, hash, Clock.Timestamp(), 0);
                return;
            }

            if (BitOperations.IsPow2(++_looks))
                Log.Blocked(_loop.Logger, _loop.Name, Clock.ToMilliseconds(Clock.Timestamp() - _since), CallbackName.Of(running));
        }
    }

    public void Dispose() => _timer.Dispose();

    private void OnTimer()
    {
        if (_isReady) Look();
        _isReady = true;
    }
}
