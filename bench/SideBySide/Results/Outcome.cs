namespace Waterspout.Bench.SideBySide;

/// <summary>System calls per message or MiB: all of them, and the most frequent.</summary>
internal sealed record CallCount(double PerUnit, string Frequent);

/// <summary>Bytes per connection: resident, and managed if the peer has managed memory.</summary>
internal sealed record MemoryUse(double Resident, double? Managed);

/// <summary>Everything that was measured for one peer in one workload.</summary>
internal sealed class Outcome
{
    public required string Peer { get; init; }

    public List<Sample> Samples { get; init; } = [];

    public CallCount? Calls { get; set; }

    public MemoryUse? Memory { get; set; }

    /// <summary>It did not start, or an answer was wrong.</summary>
    public bool Failed { get; set; }

    internal bool HasResult => !Failed && (Samples.Count > 0 || Memory is not null);

    internal bool IsOurs => Peer.StartsWith("waterspout", StringComparison.Ordinal);

    /// <summary>What the workload is about.</summary>
    internal Spread Value(Workload workload)
    {
        if (Memory is { } memory) return new Spread(memory.Resident, memory.Resident, memory.Resident);
        return Of(sample => sample.Value(workload.Measure));
    }

    internal Spread Of(Func<Sample, double> value) => Spread.Of(Samples.Select(value));
}
