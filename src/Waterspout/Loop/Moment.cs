namespace Waterspout.Loop;

/// <summary>A moment of a loop's clock, in four bytes, since every idle stream keeps some. The default is none.</summary>
/// <remarks>
/// Counted in a power of two of the clock's ticks, between 5 and 10 ms: so taking one costs a shift, and not a division, for each message.
/// It wraps after 248 days at the earliest, and an age is then too short by that.
/// </remarks>
internal readonly record struct Moment(uint Value)
{
    internal bool IsNone => Value == 0;
}
