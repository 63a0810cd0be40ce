using Waterspout.Loop;

namespace Waterspout;

/// <summary>
/// The time limits of a stream's reads: how long the pending one may wait, and the rate at which its peer must send meanwhile.
/// </summary>
/// <remarks>
/// <para>Theory of operation. One deadline serves both, the sooner of the two. It needs no timer for each read: see
/// <see cref="Deadline"/>.</para>
/// <para>The rate is kept as a credit in time. Waiting spends it, every received byte earns its share, and it is never more than the grace
/// period. So a peer may pause for the grace period, but not fall further behind; and a sequence of small reads is measured like one large
/// read, since the credit outlasts a read. While no read waits, time costs nothing: the peer may be waiting for this side.</para>
/// </remarks>
internal sealed class ReadClock
{
    private readonly IOLoop _loop;
    private readonly MinimumRate? _rate;
    private readonly Action<string> _expired;
    private readonly Deadline _deadline;
    private TimeSpan _limit;
    private long _limitAt = Deadline.None;
    private long _rateAt = Deadline.None;
    private long _credit;

    internal ReadClock(IOLoop loop, MinimumRate? rate, Action<string> expired)
    {
        (_loop, _rate, _expired) = (loop, rate, expired);
        _deadline = new Deadline(loop, Ring);
        _credit = FullCredit;
    }

    private long Now => _loop.TicksAfter(TimeSpan.Zero);

    private long FullCredit => _rate is null ? 0 : _loop.ToTicks(_rate.GracePeriod);

    /// <summary>A read begins to wait.</summary>
    /// <param name="limit">How long it may wait; null or infinite for no limit.</param>
    /// <param name="isMeasured">The rate counts.</param>
    internal void Start(TimeSpan? limit, bool isMeasured)
    {
        _limit = limit ?? Timeout.InfiniteTimeSpan;
        _limitAt = _limit == Timeout.InfiniteTimeSpan ? Deadline.None : _loop.TicksAfter(_limit);
        _rateAt = isMeasured && _rate is not null ? Now + _credit : Deadline.None;
        _deadline.Set(Math.Min(_limitAt, _rateAt));
    }

    /// <summary>Bytes have arrived, whether or not a read waits.</summary>
    internal void Receive(int count)
    {
        if (_rate is null) return;
        long earned = (long)(count / _rate.BytesPerSecond * _loop.ToTicks(TimeSpan.FromSeconds(1)));
        if (_rateAt == Deadline.None)
        {
            _credit = Math.Min(_credit + earned, FullCredit);
            return;
        }

        _rateAt = Math.Min(_rateAt + earned, Now + FullCredit);
        _deadline.Set(Math.Min(_limitAt, _rateAt));
    }

    /// <summary>The read no longer waits.</summary>
    internal void Stop()
    {
        if (_rateAt != Deadline.None) _credit = Math.Max(0, _rateAt - Now);
        _limitAt = _rateAt = Deadline.None;
        _deadline.Clear();
    }

    /// <summary>There are no more reads.</summary>
    internal void Cancel() => _deadline.Cancel();

    private void Ring()
    {
        bool isTooSlow = _rateAt < _limitAt;
        // The next read is measured anew.
        if (isTooSlow) _rateAt = Now + FullCredit;
        _expired(isTooSlow
            ? $"The peer sent less than {_rate!.BytesPerSecond} bytes a second for longer than {_rate.GracePeriod}."
            : $"The read did not complete within {_limit}.");
    }
}
