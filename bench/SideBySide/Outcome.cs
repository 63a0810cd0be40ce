namespace Waterspout.Bench.SideBySide;

/// <summary>All that was measured of one peer in one workload.</summary>
internal sealed class Outcome(Peer peer)
{
    internal Peer Peer { get; } = peer;

    internal List<Sample> Samples { get; } = [];

    internal (double PerMessage, string Frequent)? Calls { get; set; }

    /// <summary>Bytes per connection: resident, and managed where there is such memory.</summary>
    internal (double Resident, double? Managed)? Memory { get; set; }

    /// <summary>It did not start, or an answer was wrong.</summary>
    internal bool Failed { get; set; }

    internal bool HasResult => !Failed && (Samples.Count > 0 || Memory is not null);

    /// <summary>What the workload is about. Less is better.</summary>
    internal Spread Value(Workload workload)
    {
        if (Memory is { } memory) return new Spread(memory.Resident, memory.Resident, memory.Resident);
        return Spread.Of(Samples.Select(sample => sample.Value(workload.Measure)));
    }

    internal Spread Of(Func<Sample, double> value) => Spread.Of(Samples.Select(value));
}
