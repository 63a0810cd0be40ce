namespace Waterspout.Kestrel.Loops;

/// <summary>The loops that the connections of a listener are spread over.</summary>
internal sealed class TransportLoops
{
    private readonly TransportLoop[] _loops;
    private int _next = -1;

    internal TransportLoops(int count, SchedulingMode scheduling) =>
        _loops = [.. Enumerable.Range(0, count).Select(number => new TransportLoop(number, scheduling))];

    internal TransportLoop Next() => _loops[(uint)Interlocked.Increment(ref _next) % _loops.Length];

    internal Task EndAsync() => Task.WhenAll(_loops.Select(static loop => loop.EndAsync()));
}
