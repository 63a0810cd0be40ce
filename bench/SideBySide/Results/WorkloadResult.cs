namespace Waterspout.Bench.SideBySide;

/// <summary>A run of one workload: the peers side by side, and the machine they were measured on.</summary>
internal sealed class WorkloadResult
{
    public required string Workload { get; init; }

    public required DateTime Measured { get; init; }

    public required string Commit { get; init; }

    public required string[] Machine { get; init; }

    public required int Rounds { get; init; }

    public required double Seconds { get; init; }

    /// <summary>Peers that could not run, each with the reason.</summary>
    public required string[] LeftOut { get; init; }

    public required List<Outcome> Outcomes { get; init; }

    internal Outcome? Find(string peer) => Outcomes.Find(outcome => outcome.HasResult && outcome.Peer == peer);

    /// <summary>Peers with a result, best first.</summary>
    internal List<Outcome> Sorted(Workload workload) => [.. Outcomes.Where(outcome => outcome.HasResult).OrderBy(outcome => outcome.Value(workload).Median)];
}
