using System.Diagnostics;

namespace Waterspout.Tls;

/// <summary>How long a stream may decrypt in a turn of its loop.</summary>
/// <remarks>
/// The cost of a record cannot be seen from outside: one of 27 bytes may hold five bytes of data (a microsecond), or a key update (30 to
/// 70). So it is measured, except for the first record of a turn: a stream with one record in each turn reads no clock. Large records, of
/// which one takes five to fifteen microseconds, have more time: a turn for each of them costs a bulk transfer 3 %.
/// </remarks>
internal struct TurnBudget()
{
    private const int LargeRecord = 4096;

    private static readonly long s_small = IOLoop.DeferredTicks;
    private static readonly long s_large = Stopwatch.Frequency / 20_000; // 50 microseconds

    private long _turn = -1;
    private long? _begun; // known if more than one record is decrypted in this turn

    /// <summary>True if one more record may be decrypted in this turn.</summary>
    /// <param name="turn">The turn of the loop.</param>
    /// <param name="lastRecord">The size of the record before it.</param>
    internal bool Allows(long turn, int lastRecord)
    {
        if (_turn != turn)
        {
            _turn = turn;
            _begun = null;
            return true;
        }

        long now = Stopwatch.GetTimestamp();
        _begun ??= now;
        return now - _begun < (lastRecord < LargeRecord ? s_small : s_large);
    }

    /// <summary>Begins a turn for a stream whose last one was used up. Its records are measured from the first.</summary>
    internal void Begin(long turn)
    {
        _turn = turn;
        _begun = Stopwatch.GetTimestamp();
    }
}
