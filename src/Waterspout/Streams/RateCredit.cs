using Waterspout.Loop;

namespace Waterspout;

/// <summary>How far a peer may still fall behind a minimum rate, as a credit in time.</summary>
/// <remarks>
/// Waiting spends the credit, every transferred byte earns its share, and it is never more than the grace period. So a peer may pause for
/// the grace period, but not fall further behind; and many small operations are measured like one large one, since the credit outlasts
/// them. While nothing waits, time costs nothing: the peer may be waiting for this side.
/// </remarks>
internal struct RateCredit
{
    private readonly IOLoop _loop;
    private readonly MinimumRate? _rate;
    private long _credit;

    internal RateCredit(IOLoop loop, MinimumRate? rate)
    {
        (_loop, _rate) = (loop, rate);
        _credit = Full;
    }

    /// <summary>When the credit is spent, in ticks of the loop's clock; <see cref="Deadline.None"/> while nothing waits.</summary>
    internal long SpentAt { readonly get; private set; } = Deadline.None;

    private readonly long Now => _loop.TicksAfter(TimeSpan.Zero);

    private readonly long Full => _rate is null ? 0 : _loop.ToTicks(_rate.GracePeriod);

    /// <summary>A wait begins. Does nothing without a rate.</summary>
    internal void Begin() => SpentAt = _rate is null ? Deadline.None : Now + _credit;

    /// <summary>Bytes were transferred, whether or not anything waits.</summary>
    internal void Earn(long count)
    {
        if (_rate is null) return;
        // More than a full credit is of no use. By a tiny rate it would be more than a number holds.
        long earned = (long)Math.Min(Full, count / _rate.BytesPerSecond * _loop.ToTicks(TimeSpan.FromSeconds(1)));
        if (SpentAt == Deadline.None) _credit = Math.Min(_credit + earned, Full);
        else SpentAt = Math.Min(SpentAt + earned, Now + Full);
    }

    /// <summary>Nothing waits any more.</summary>
    internal void End()
    {
        if (SpentAt != Deadline.None) _credit = Math.Max(0, SpentAt - Now);
        SpentAt = Deadline.None;
    }

    /// <summary>The credit was spent, which has been reported. What comes next is measured anew.</summary>
    internal void Renew() => SpentAt = Now + Full;

    /// <summary>Why the peer is too slow.</summary>
    internal readonly string Describe(string what) =>
        $"The peer {what} less than {_rate!.BytesPerSecond} bytes a second for longer than {_rate.GracePeriod}.";
}
