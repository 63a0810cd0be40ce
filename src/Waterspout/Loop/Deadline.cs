namespace Waterspout.Loop;

/// <summary>A time limit that is moved often and reached rarely.</summary>
/// <remarks>
/// Moving it is a store. A timer set for an earlier time checks, when it fires, whether the limit has moved, and is then set again. Used on
/// the loop's thread only.
/// </remarks>
internal sealed class Deadline(IOLoop loop, TimeSpan limit, Action expired)
{
    private const long None = long.MaxValue;

    private long _at = None;
    private LoopTimer? _timer;

    internal void Restart()
    {
        _at = loop.TicksAfter(limit);
        _timer ??= loop.CallAt(_at, Ring);
    }

    internal void Clear() => _at = None;

    /// <summary>Clears the limit for good, and cancels the timer.</summary>
    internal void Cancel()
    {
        Clear();
        _timer?.Dispose();
        _timer = null;
    }

    private void Ring()
    {
        _timer = null;
        if (_at == None) return;
        if (loop.Now < _at)
        {
            _timer = loop.CallAt(_at, Ring);
            return;
        }

        Clear();
        expired();
    }
}
