using Waterspout.Loop;

namespace Waterspout;

/// <summary>
/// The time limits of a stream's writes: how long data may wait without progress, and the rate at which the peer must take it meanwhile.
/// </summary>
/// <remarks>
/// <para>Theory of operation. Time counts while sending would block. One deadline serves both limits, the sooner of the two. How the rate is
/// measured is in <see cref="RateCredit"/>.</para>
/// <para>What is sent is only handed to the system, whose buffer may hold megabytes, and which reports that there is room again when a third
/// of that is free. A peer that reads slowly and steadily would seem to take nothing until then. So when the deadline is reached, the
/// system is asked how much it still holds: what is missing since sending blocked was taken. Those bytes have then counted, and do not
/// count once more when they are replaced by a send.</para>
/// <para>What was in flight when sending blocked arrives in the peer's system, which acknowledges it without anyone having read it. So the
/// amount to compare with is noted a little later.</para>
/// </remarks>
internal sealed class WriteClock
{
    // Longer than an acknowledgement is delayed: 40 ms on Linux, and 200 ms elsewhere.
    private static readonly TimeSpan s_flight = TimeSpan.FromMilliseconds(250);

    private readonly IOLoop _loop;
    private readonly TimeSpan _limit;
    private readonly Func<long> _held;
    private readonly Action<string> _expired;
    private readonly Deadline _deadline;
    private RateCredit _credit;
    private long _limitAt = Deadline.None;
    private bool _isRunning;
    private bool _isInFlight; // what was sent last
    private long _heldAtBlock;
    private long _counted; // of what was taken since then

    /// <summary>Creates the clock of a stream.</summary>
    /// <param name="loop">The loop whose clock counts.</param>
    /// <param name="options">With the two limits.</param>
    /// <param name="held">How much the system holds that the peer has not taken; always zero where that is not known.</param>
    /// <param name="expired">Called with the reason.</param>
    internal WriteClock(IOLoop loop, IOStreamOptions options, Func<long> held, Action<string> expired)
    {
        (_loop, _held, _expired) = (loop, held, expired);
        _limit = options.WriteTimeout ?? Timeout.InfiniteTimeSpan;
        _credit = new RateCredit(loop, options.MinimumWriteRate);
        _deadline = new Deadline(loop, Ring);
    }

    /// <summary>Sending has blocked: a wait begins, or continues after some was sent.</summary>
    internal void Block()
    {
        if (!_isRunning) _credit.Begin();
        _isRunning = true;
        (_heldAtBlock, _counted) = (_held(), 0);
        _isInFlight = _heldAtBlock > 0;
        Continue();
    }

    /// <summary>Bytes were handed to the system.</summary>
    internal void Send(int count)
    {
        if (!_isRunning || count == 0) return;
        long replaced = Math.Min(count, _counted);
        _counted -= replaced;
        _credit.Earn(count - replaced);
        Continue();
    }

    /// <summary>Everything has been sent.</summary>
    internal void Stop()
    {
        _isRunning = false;
        _credit.End();
        _deadline.Clear();
    }

    /// <summary>Nothing more will be sent.</summary>
    internal void Cancel() => _deadline.Cancel();

    /// <summary>There was progress: the limit begins anew.</summary>
    private void Continue()
    {
        _limitAt = _limit == Timeout.InfiniteTimeSpan ? Deadline.None : _loop.TicksAfter(_limit);
        SetDeadline();
    }

    private void SetDeadline()
    {
        long at = Math.Min(_limitAt, _credit.SpentAt);
        _deadline.Set(_isInFlight ? Math.Min(at, _loop.TicksAfter(s_flight)) : at);
    }

    private void Ring()
    {
        if (_isInFlight)
        {
            _isInFlight = false;
            _heldAtBlock = _held();
            SetDeadline();
            return;
        }

        long taken = _heldAtBlock - _held();
        if (taken > _counted)
        {
            _credit.Earn(taken - _counted);
            _counted = taken;
            Continue();
            return;
        }

        _expired(_credit.SpentAt < _limitAt ? _credit.Describe("took") : $"The peer took no data for {_limit}.");
    }
}
