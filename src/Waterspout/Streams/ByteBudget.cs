namespace Waterspout;

/// <summary>How much a stream may still move in one direction in a turn of its loop, so that others have their turn too.</summary>
/// <remarks>
/// In KiB, begun ones counted whole: so it takes four bytes of an idle stream, and many small calls are limited as well. Of the turn it has the low
/// bits. Where those are the same by chance, what is left over from long ago makes a stream wait for one turn, or not.
/// </remarks>
internal struct ByteBudget()
{
    private const ushort Unlimited = ushort.MaxValue;

    private ushort _turn = ushort.MaxValue;
    private ushort _left;

    /// <summary>Nothing is left for this turn.</summary>
    /// <param name="turn">The number of the turn.</param>
    /// <param name="most">What a turn begins with, in KiB.</param>
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
