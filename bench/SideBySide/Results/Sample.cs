namespace Waterspout.Bench.SideBySide;

/// <summary>What one run of the load has measured. Times are in seconds; what was not measured is NaN.</summary>
/// <param name="Seconds">The length of the run.</param>
/// <param name="Messages">The number of messages in that time.</param>
/// <param name="Bytes">The same in bytes.</param>
/// <param name="Cpu">The CPU time of the server process.</param>
/// <param name="Idle">How long the server's core was idle.</param>
/// <param name="AllMessages">Including those before the measured time: system calls are counted for all of them.</param>
/// <param name="P50">The median latency.</param>
/// <param name="P99">The latency of the 99th percentile.</param>
/// <param name="P999">The latency of the 99.9th percentile.</param>
/// <param name="WorkLeft">The part of their work that two other programs still completed.</param>
internal sealed record Sample(double Seconds, double Messages, double Bytes, double Cpu, double Idle, double AllMessages, double P50, double P99, double P999, double WorkLeft)
{
    internal double CpuPerMessage => Cpu / Messages;

    internal double Mebibytes => Bytes / (1024 * 1024);

    internal double AllMebibytes => Mebibytes * AllMessages / Messages;

    internal double MessagesPerSecond => Messages / Seconds;

    /// <summary>The part of the time in which the server ran.</summary>
    internal double Busy => Cpu / Seconds;

    /// <summary>The part of the time in which its core was idle. The rest up to one went to other processes.</summary>
    internal double IdleShare => Idle / Seconds;

    /// <summary>The value that the workload measures (for memory there are no samples).</summary>
    internal double Value(Measure measure) => measure switch
    {
        Measure.Latency => P50,
        Measure.CpuPerMebibyte => Cpu / Mebibytes,
        Measure.IdleCpu => Busy,
        Measure.LostWork => 1 - WorkLeft,
        _ => CpuPerMessage,
    };
}

/// <summary>A median, and the smallest and largest value.</summary>
internal readonly record struct Spread(double Median, double Min, double Max)
{
    internal static Spread Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        if (sorted.Length == 0) return new Spread(double.NaN, double.NaN, double.NaN);
        double median = (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
        return new Spread(median, sorted[0], sorted[^1]);
    }
}
