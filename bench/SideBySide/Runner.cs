using System.Diagnostics;

namespace Waterspout.Bench.SideBySide;

/// <summary>Runs a workload: every peer in turn, again and again, so that what disturbs the machine disturbs all of them.</summary>
internal sealed class Runner(Options options, Load load, (string Certificate, string Key)? certificate)
{
    internal List<Outcome> Run(Workload workload, IReadOnlyList<Peer> peers)
    {
        List<Outcome> outcomes = [.. peers.Select(peer => new Outcome(peer))];
        if (workload.Measure == Measure.Memory)
        {
            foreach (Outcome outcome in outcomes) MeasureMemory(workload, outcome);
            return outcomes;
        }

        List<(Outcome Outcome, ServerProcess Server)> running = [];
        try
        {
            foreach (Outcome outcome in outcomes)
                if (StartAndWarm(workload, outcome) is { } server) running.Add((outcome, server));
            for (int round = 1; round <= options.Rounds; round++)
            {
                Progress($"round {round} of {options.Rounds}");
                foreach ((Outcome outcome, ServerProcess server) in running) MeasureOnce(workload, outcome, server);
            }

            foreach ((Outcome outcome, ServerProcess server) in running) CountCalls(workload, outcome, server);
        }
        finally
        {
            foreach ((_, ServerProcess server) in running) server.Dispose();
            Progress("");
        }

        return outcomes;
    }

    private static void Progress(string text)
    {
        if (Console.IsOutputRedirected)
        {
            if (text.Length > 0) Console.WriteLine("  " + text);
        }
        else
        {
            Console.Write($"\r  {text,-60}\r");
        }
    }

    private ServerProcess? StartAndWarm(Workload workload, Outcome outcome)
    {
        Progress($"warming {outcome.Peer.Name}");
        ServerProcess? server = ServerProcess.Start(outcome.Peer, workload, certificate);
        if (server is not null && load.Run(workload, server, options.Warm, 0.1) is not null) return server;
        Console.Error.WriteLine($"  {outcome.Peer.Name} fails in {workload.Name}");
        outcome.Failed = true;
        server?.Dispose();
        return null;
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
        if (outcome.Failed || !SystemCalls.IsPossible || workload.Measure == Measure.CpuPerByte) return;
        Progress($"system calls of {outcome.Peer.Name}");
        outcome.Calls = SystemCalls.Count(load, workload, server);
    }

    private void MeasureMemory(Workload workload, Outcome outcome)
    {
        Progress($"memory of {outcome.Peer.Name}");
        using ServerProcess? server = ServerProcess.Start(outcome.Peer, workload, certificate);
        // The first connections pay for what is compiled and allocated once.
        Workload few = workload with { Load = [.. workload.Load, "connections=200"] };
        if (server is null || !HoldOnce(few, server, out _) || !HoldOnce(workload, server, out var memory))
        {
            outcome.Failed = true;
            return;
        }

        outcome.Memory = memory;
    }

    private bool HoldOnce(Workload workload, ServerProcess server, out (double Resident, double? Managed) memory)
    {
        long? managed = server.ManagedMemory();
        long resident = server.ResidentMemory;
        memory = default;
        using Process? connections = load.Hold(workload, server);
        if (connections is null) return false;
        // Until the server is idle; then a collection, so that garbage is not counted.
        Thread.Sleep(500);
        double? managedNow = server.ManagedMemory() - managed;
        double count = int.Parse(workload.Load[1].AsSpan("connections=".Length), System.Globalization.CultureInfo.InvariantCulture);
        memory = ((server.ResidentMemory - resident) / count, managedNow / count);
        connections.StandardInput.Close();
        connections.WaitForExit();
        return true;
    }
}
