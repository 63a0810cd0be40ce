namespace Waterspout.Bench.SideBySide;

/// <summary>What a workload measures. Less is better.</summary>
internal enum Measure
{
    /// <summary>Server CPU per message.</summary>
    CpuPerMessage,

    /// <summary>The median latency.</summary>
    Latency,

    /// <summary>Server CPU per mebibyte.</summary>
    CpuPerMebibyte,

    /// <summary>Server CPU per byte, over messages of growing length.</summary>
    CpuPerByte,

    /// <summary>Memory per connection.</summary>
    Memory,

    /// <summary>The part of a core that the server takes while there is little or nothing to do.</summary>
    IdleCpu,

    /// <summary>The part of their work that other programs on the machine can no longer complete.</summary>
    LostWork,
}

/// <summary>How long a run may take.</summary>
internal enum Level
{
    /// <summary>Under three minutes.</summary>
    Quick,

    /// <summary>About an hour.</summary>
    Default,

    /// <summary>As long as it takes for narrow spreads, and with the points that take long.</summary>
    Full,
}

/// <summary>Workloads that differ in one number only, which is the x axis of a line chart.</summary>
/// <param name="Name">Short, for file names.</param>
/// <param name="Title">The heading.</param>
/// <param name="Axis">The meaning of the number.</param>
internal sealed record Sweep(string Name, string Title, string Axis)
{
    /// <summary>The numbers are bytes.</summary>
    internal bool InBytes { get; init; }

    /// <summary>Our largest value should be at most this many times the smallest; 0 for no goal.</summary>
    internal double FlatWithin { get; init; }

    /// <summary>Smaller numbers do not count for the goal: there a message's fixed costs are spread over few bytes.</summary>
    internal double FlatFrom { get; init; }
}

/// <summary>One kind of work, the same for all peers.</summary>
/// <param name="Name">Short, for the command line and file names.</param>
/// <param name="Title">The heading.</param>
/// <param name="Mode">The mode of the server.</param>
/// <param name="Load">The arguments of the load.</param>
internal sealed record Workload(string Name, string Title, string Mode, string[] Load)
{
    /// <summary>The page of the report that it belongs to.</summary>
    internal Family Family { get; init; }

    internal Measure Measure { get; init; }

    /// <summary>The server's buffer, or the length of a message; 0 if memory is measured.</summary>
    internal int Size { get; init; } = 65536;

    internal int Loops { get; init; } = 1;

    internal bool IsTls { get; init; }

    /// <summary>The shortest kind of run that includes it.</summary>
    internal Level Level { get; init; } = Level.Default;

    internal Goal[] Goals { get; init; } = [];

    /// <summary>Only these peers; null for all that support it.</summary>
    internal string[]? Peers { get; init; }

    internal Sweep? Sweep { get; init; }

    /// <summary>Its position in its sweep.</summary>
    internal double X { get; init; }

    /// <summary>A shorter measurement would be meaningless.</summary>
    internal double LeastSeconds { get; init; }

    /// <summary>The server and the load have a core each.</summary>
    internal bool IsPinned => Loops == 1;

    /// <summary>The unit is a mebibyte, not a message.</summary>
    internal bool IsBulk => Measure is Measure.CpuPerMebibyte or Measure.CpuPerByte;

    /// <summary>It happens often enough for its system calls to be counted.</summary>
    internal bool CountsCalls => Measure is Measure.CpuPerMessage or Measure.Latency or Measure.CpuPerMebibyte;

    /// <summary>A server that waits part of the time does not make the numbers doubtful.</summary>
    internal bool MayBeIdle => Measure is Measure.Latency or Measure.Memory or Measure.CpuPerByte or Measure.IdleCpu or Measure.LostWork || !IsPinned || Load.Contains("connections=1");
}
