namespace Waterspout;

/// <summary>How much a stream may still transfer in one direction in a turn of its loop, so that others have their turn too.</summary>
/// <remarks>
/// In KiB, rounded up per call: so it takes four bytes of an idle stream, and many small calls are limited as well. It stores the low bits
/// of the turn. If they match an old turn by chance, a leftover budget may make a stream wait for one turn.
/// </remarks>
internal struct ByteBudget()
{
    private const ushort Unlimited = ushort.MaxValue;

    private ushort _turn = ushort.MaxValue;
    private ushort _left;

    /// <summary>Nothing is left for this turn.</summary>
    /// <param name="turn">The number of the turn.</param>
    /// <param name="most">The budget at the start of a turn, in KiB.</param>
    internal bool IsSpent(long turn, ushort most)
    {
        if (_turn != (ushort)turn) (_turn, _left) = ((ushort)turn, most);
        return _left == 0;
    }

    internal void Spend(int bytes)
    {
        if (_left != Unlimited) _left = (ushort)Math.Max(0, _left - ((bytes + 1023L) >> 10));
    }

    /// <summary>This turn has no limit.</summary>
    internal void Lift(long turn) => (_turn, _left) = ((ushort)turn, Unlimited);
}
