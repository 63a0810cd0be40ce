namespace Waterspout.Bench.SideBySide;

/// <summary>What one run of the load has measured.</summary>
internal sealed record Sample(double Seconds, double Messages, double Bytes, double Cpu, double Idle, double AllMessages, double P50, double P99, double P999)
{
    internal double CpuPerMessage => Cpu / Messages;

    internal double Mebibytes => Bytes / (1024 * 1024);

    internal double MessagesPerSecond => Messages / Seconds;

    /// <summary>The part of the time in which the server ran.</summary>
    internal double Busy => Cpu / Seconds;

    /// <summary>The part of the time in which its core did nothing at all. What is missing to one went to others.</summary>
    internal double IdleShare => Idle / Seconds;

    /// <summary>What a workload is about, in seconds (for memory there are no samples).</summary>
    internal double Value(Measure measure) => measure switch
    {
        Measure.Latency => P50,
        Measure.CpuPerMebibyte => Cpu / Mebibytes,
        _ => CpuPerMessage,
    };
}

/// <summary>A middle value and what it lies between.</summary>
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
