namespace Waterspout.Bench.SideBySide;

/// <summary>A server program to compare with, or ours.</summary>
/// <param name="Name">Short, for the command line and the tables.</param>
/// <param name="Description">What it is made of.</param>
/// <param name="Command">The program and the arguments before the mode.</param>
/// <param name="Modes">What it can do.</param>
internal sealed record Peer(string Name, string Description, string[] Command, string[] Modes)
{
    internal (string Name, string Value)[] Environment { get; init; } = [];

    /// <summary>Uses TLS, and nothing else.</summary>
    internal bool IsTls { get; init; }

    /// <summary>Compiled ahead of time: needs no warm-up.</summary>
    internal bool IsCompiled { get; init; }

    /// <summary>One of the few peers of a quick run.</summary>
    internal bool InQuick { get; init; }

    /// <summary>Reports its managed memory on request.</summary>
    internal bool TellsHeap { get; init; }

    /// <summary>The peer of ours that this is an earlier version of; null for all others.</summary>
    internal string? Before { get; init; }

    /// <summary>Why it cannot run here; null if it can.</summary>
    internal string? Missing { get; init; }

    internal bool Runs(Workload workload) => workload.IsTls == IsTls && Modes.Contains(workload.Mode);
}
