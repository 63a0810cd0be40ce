namespace Waterspout.Loop;

/// <summary>A time limit that is moved often and reached rarely.</summary>
/// <remarks>
/// Moving it to a later time is a store. A timer set for an earlier time checks, when it fires, whether the limit has moved, and is then
/// set again. Used on the loop's thread only.
/// </remarks>
internal sealed class Deadline(IOLoop loop, Action expired)
{
    /// <summary>No limit.</summary>
    internal const long None = long.MaxValue;

    private long _at = None;
    private LoopTimer? _timer;

    /// <summary>Sets the limit, in ticks of the loop's clock, or moves it.</summary>
    internal void Set(long at)
    {
        _at = at;
        if (at == None) return;
        if (_timer is null) _timer = loop.CallAt(at, Ring);
        else if (at < _timer.Deadline) loop.Move(_timer, at);
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
