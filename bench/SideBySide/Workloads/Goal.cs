using System.Globalization;

namespace Waterspout.Bench.SideBySide;

/// <summary>A goal and what was measured: reached or not.</summary>
internal sealed record Verdict(string Text, string Measured, bool IsReached)
{
    internal string Word => IsReached ? "reached" : "missed";
}

/// <summary>
/// Our aim: at most <paramref name="AtMost"/> times what <paramref name="Peer"/> needs; without a peer, at most that value.
/// </summary>
internal sealed record Goal(double AtMost, string? Peer = null, string Ours = "waterspout")
{
    /// <summary>What is compared, if it is not the workload's measure: managed memory.</summary>
    internal bool OfManagedMemory { get; init; }

    /// <summary>Null if a side was not measured.</summary>
    internal Verdict? Check(Workload workload, WorkloadResult result)
    {
        double ours = Value(workload, result, Ours);
        if (Peer is null)
        {
            string Show(double value) => Format.Value(workload.Measure, value);
            string what = OfManagedMemory ? "managed memory per connection" : Format.Title(workload.Measure);
            return double.IsNaN(ours) ? null : new Verdict($"{what} at most {Show(AtMost)}", Show(ours), ours <= AtMost);
        }

        double ratio = ours / Value(workload, result, Peer);
        if (double.IsNaN(ratio)) return null;
        return new Verdict(string.Create(CultureInfo.InvariantCulture, $"{(Ours == "waterspout" ? "" : $"{Ours}: ")}at most {Format.Number(AtMost)} x {Peer}"), Format.Number(ratio) + " x", ratio <= AtMost);
    }

    private double Value(Workload workload, WorkloadResult result, string peer)
    {
        if (result.Find(peer) is not { } outcome) return double.NaN;
        return OfManagedMemory ? outcome.Memory?.Managed ?? double.NaN : outcome.Value(workload).Median;
    }
}
