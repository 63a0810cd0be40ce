using System.Diagnostics;

namespace Waterspout.Tls;

/// <summary>How many records a stream decrypts at a time, and for how long in a turn of its loop.</summary>
/// <remarks>
/// The cost of a record cannot be seen from outside: one of 27 bytes may hold five bytes of data (a microsecond), or a key update (30 to
/// 70). So it is measured: after records that took longer than a slice comes one, then two, and so on.
/// </remarks>
internal struct TurnBudget()
{
    // Small records up to this number take some microseconds. Two of the largest fill SslStream's buffer.
    private const int MostRecords = 16;

    // An idle turn of the loop takes one or two. On average the others wait for half of this while one stream always has data.
    private static readonly long s_slice = IOLoop.ComputeTicks;

    private long _turn = -1;
    private long _begun;
    private long _given;
    private int _most = MostRecords;

    /// <summary>How many records may be decrypted now. Zero if this turn's time is used up.</summary>
    internal int Take(long turn)
    {
        long now = Stopwatch.GetTimestamp();
        if (_turn != turn)
        {
            _turn = turn;
            _begun = _given = now;
            return _most;
        }

        _most = now - _given > s_slice ? 1 : Math.Min(_most * 2, MostRecords);
        _given = now;
        return now - _begun < s_slice ? _most : 0;
    }
}
