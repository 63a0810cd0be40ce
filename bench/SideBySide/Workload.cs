namespace Waterspout.Bench.SideBySide;

/// <summary>What the numbers of a workload are about.</summary>
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
}

/// <summary>A goal: ours is to need at most <paramref name="AtMost"/> times what <paramref name="Peer"/> needs.</summary>
internal sealed record Goal(string Peer, double AtMost, string Ours = "waterspout");

/// <summary>One kind of work, the same for all peers.</summary>
/// <param name="Name">Short, for the command line and file names.</param>
/// <param name="Title">For people.</param>
/// <param name="Mode">What the server does.</param>
/// <param name="Load">What the load does, and how.</param>
internal sealed record Workload(string Name, string Title, string Mode, string[] Load)
{
    internal Measure Measure { get; init; }

    /// <summary>The server's buffer; 0 where memory is what is measured.</summary>
    internal int Size { get; init; } = 65536;

    internal int Loops { get; init; } = 1;

    internal bool IsTls { get; init; }

    internal bool InQuick { get; init; }

    internal Goal[] Goals { get; init; } = [];

    /// <summary>Only these; null for all that can do it.</summary>
    internal string[]? Peers { get; init; }

    /// <summary>The server has a core of its own, and so has the load.</summary>
    internal bool IsPinned => Loops == 1;

    /// <summary>A server that waits part of the time is no reason to doubt the numbers.</summary>
    internal bool MayBeIdle => Measure is Measure.Latency or Measure.Memory or Measure.CpuPerByte || !IsPinned;
}
