using System.Diagnostics;
using System.Globalization;

namespace Waterspout.Bench.SideBySide;

/// <summary>Runs a workload: every peer in turn, repeatedly, so that what disturbs the machine disturbs all of them.</summary>
internal sealed class Runner(Options options, Load load, Progress progress, (string Certificate, string Key)? certificate)
{
    internal List<Outcome> Run(Workload workload, IReadOnlyList<Peer> peers) => workload.Measure == Measure.Memory
        ? [.. peers.Select(peer => MeasureMemory(workload, peer))]
        : MeasureTimes(workload, peers);

    private List<Outcome> MeasureTimes(Workload workload, IReadOnlyList<Peer> peers)
    {
        List<Outcome> outcomes = [.. peers.Select(peer => new Outcome { Peer = peer.Name })];
        List<(Outcome Outcome, ServerProcess Server)> running = [];
        try
        {
            for (int i = 0; i < peers.Count; i++)
                if (StartAndWarm(workload, peers[i], outcomes[i]) is { } server) running.Add((outcomes[i], server));
            for (int round = 1; round <= options.Rounds; round++)
            {
                progress.Say($"round {round} of {options.Rounds}");
                foreach ((Outcome outcome, ServerProcess server) in running) MeasureOnce(workload, outcome, server);
            }

            foreach ((Outcome outcome, ServerProcess server) in running) CountCalls(workload, outcome, server);
        }
        finally
        {
            foreach ((_, ServerProcess server) in running) server.Dispose();
            progress.Clear();
        }

        return outcomes;
    }

    private ServerProcess? StartAndWarm(Workload workload, Peer peer, Outcome outcome)
    {
        progress.Say($"warming {peer.Name}");
        ServerProcess? server = ServerProcess.Start(peer, workload, certificate);
        if (server is not null && Warm(workload, server)) return server;
        Console.Error.WriteLine($"  {peer.Name} fails in {workload.Name}");
        outcome.Failed = true;
        server?.Dispose();
        return null;
    }

    private bool Warm(Workload workload, ServerProcess server)
    {
        double time = server.Peer.IsCompiled ? 0.2 : options.Warm;
        if (workload.Measure != Measure.IdleCpu) return load.Run(workload, server, time, 0.1) is not null;
        // An idle server does not warm up. But what it does here for the first time is compiled now, and that would be most of its CPU.
        Workload busy = workload with { Load = ["pingpong", "connections=1"], LeastSeconds = 0 };
        return load.Run(busy, server, time, 0.1) is not null && load.Run(workload, server, 0, 1) is not null;
    }

    private void MeasureOnce(Workload workload, Outcome outcome, ServerProcess server)
    {
        if (outcome.Failed) return;
        // A short run-up: caches, and the connections' slow start.
        if (load.Run(workload, server, 0.1, options.Seconds) is { } sample) outcome.Samples.Add(sample);
        else outcome.Failed = true;
    }

    private void CountCalls(Workload workload, Outcome outcome, ServerProcess server)
    {
        if (outcome.Failed || !SystemCalls.IsPossible || !workload.CountsCalls) return;
        progress.Say($"system calls of {server.Peer.Name}");
        outcome.Calls = SystemCalls.Count(load, workload, server);
    }

    private Outcome MeasureMemory(Workload workload, Peer peer)
    {
        progress.Say($"memory of {peer.Name}");
        using ServerProcess? server = ServerProcess.Start(peer, workload, certificate);
        // The first connections pay for what is compiled and allocated once.
        Workload few = workload with { Load = [.. workload.Load, "connections=200"] };
        MemoryUse? memory = server is not null && HoldOnce(few, server) is not null ? HoldOnce(workload, server) : null;
        progress.Clear();
        return new Outcome { Peer = peer.Name, Memory = memory, Failed = memory is null };
    }

    private MemoryUse? HoldOnce(Workload workload, ServerProcess server)
    {
        long? managed = server.ManagedMemory();
        long resident = server.ResidentMemory;
        using Process? connections = load.Hold(workload, server);
        if (connections is null) return null;
        // Wait until the server is idle; then collect, so that garbage is not counted.
        Thread.Sleep(500);
        double? managedNow = server.ManagedMemory() - managed;
        double count = int.Parse(workload.Load[1].AsSpan("connections=".Length), CultureInfo.InvariantCulture);
        MemoryUse memory = new((server.ResidentMemory - resident) / count, managedNow / count);
        connections.StandardInput.Close();
        connections.WaitForExit();
        return memory;
    }
}
