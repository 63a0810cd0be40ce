using Waterspout.Loop;

namespace Waterspout;

/// <summary>
/// The time limits of a stream's reads: how long the pending one may wait, and the rate at which its peer must send meanwhile.
/// </summary>
/// <remarks>
/// One deadline serves both, the sooner of the two. It needs no timer for each read: see <see cref="Deadline"/>. How the rate is measured
/// is in <see cref="RateCredit"/>.
/// </remarks>
internal sealed class ReadClock
{
    private readonly IOLoop _loop;
    private readonly Action<string> _expired;
    private readonly Deadline _deadline;
    private RateCredit _credit;
    private TimeSpan _limit;
    private long _limitAt = Deadline.None;

    internal ReadClock(IOLoop loop, MinimumRate? rate, Action<string> expired)
    {
        (_loop, _expired) = (loop, expired);
        _credit = new RateCredit(loop, rate);
        _deadline = new Deadline(loop, Ring);
    }

    /// <summary>A read begins to wait.</summary>
    /// <param name="limit">How long it may wait; null or infinite for no limit.</param>
    /// <param name="isMeasured">The rate counts.</param>
    internal void Start(TimeSpan? limit, bool isMeasured)
    {
        _limit = limit ?? Timeout.InfiniteTimeSpan;
        _limitAt = _limit == Timeout.InfiniteTimeSpan ? Deadline.None : _loop.TicksAfter(_limit);
        if (isMeasured) _credit.Begin();
        _deadline.Set(Math.Min(_limitAt, _credit.SpentAt));
    }

    /// <summary>Bytes have arrived, whether or not a read waits.</summary>
    internal void Receive(int count)
    {
        _credit.Earn(count);
        if (_credit.SpentAt != Deadline.None) _deadline.Set(Math.Min(_limitAt, _credit.SpentAt));
    }

    /// <summary>The read no longer waits.</summary>
    internal void Stop()
    {
        _credit.End();
        _limitAt = Deadline.None;
        _deadline.Clear();
    }

    /// <summary>There are no more reads.</summary>
    internal void Cancel() => _deadline.Cancel();

    private void Ring()
    {
        bool isTooSlow = _credit.SpentAt < _limitAt;
        if (isTooSlow) _credit.Renew();
        _expired(isTooSlow ? _credit.Describe("sent") : $"The read did not complete within {_limit}.");
    }
}
