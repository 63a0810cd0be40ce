using System.Diagnostics;

namespace Waterspout.Tls;

/// <summary>How long a stream may decrypt in a turn of its loop.</summary>
/// <remarks>
/// The cost of a record cannot be seen from outside: one of 27 bytes may hold five bytes of data (a microsecond), or a key update (30 to
/// 70). So it is measured, except for the first record of a turn: a stream with one record in each turn reads no clock.
/// </remarks>
internal struct TurnBudget()
{
    // An idle turn of the loop takes one or two. On average the others wait for half of this while one stream always has data.
    private static readonly long s_slice = IOLoop.ComputeTicks;

    private long _turn = -1;
    private long? _begun; // known if more than one record is decrypted in this turn

    /// <summary>True if one more record may be decrypted in this turn.</summary>
    internal bool Allows(long turn)
    {
        if (_turn != turn)
        {
            _turn = turn;
            _begun = null;
            return true;
        }

        long now = Stopwatch.GetTimestamp();
        _begun ??= now;
        return now - _begun < s_slice;
    }

    /// <summary>Begins a turn for a stream whose last one was used up. Its records are measured from the first.</summary>
    internal void Begin(long turn)
    {
        _turn = turn;
        _begun = Stopwatch.GetTimestamp();
    }
}
