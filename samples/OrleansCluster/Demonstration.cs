using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Waterspout;

namespace OrleansCluster;

/// <summary>Starts three silos, kills the last one under load, and checks the ledgers.</summary>
internal static class Demonstration
{
    // Entries of each caller before the kill, and after it.
    private const int Entries = 50;

    internal static async Task<int> RunAsync()
    {
        string folder = Directory.CreateTempSubdirectory("waterspout-orleans").FullName;
        // Below what the system gives to outgoing connections.
        int port = Random.Shared.Next(10_000, 32_000);
        List<ChildProcess> silos = [];
        try
        {
            for (int number = 1; number <= Hosts.Silos; number++) silos.Add(await StartAsync(number, port, folder));
            using IHost client = Hosts.CreateClient(port);
            await client.StartAsync();
            int lost = await LoadAndKillAsync(new Load(client.Services.GetRequiredService<IClusterClient>()), silos[^1]);
            await client.StopAsync();
            int failed = 0;
            foreach (ChildProcess silo in Enumerable.Reverse(silos.SkipLast(1)))
                if (await silo.StopAsync(TimeSpan.FromSeconds(20)) != 0) failed++;
            Console.WriteLine($"{lost} ledgers have lost something, {failed} silos have not stopped cleanly.");
            return lost + failed == 0 ? 0 : 1;
        }
        finally
        {
            foreach (ChildProcess silo in silos) await silo.DisposeAsync();
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<int> LoadAndKillAsync(Load load, ChildProcess victim)
    {
        Console.WriteLine($"All silos, {await load.RunAsync(Entries)} answers");
        long last = Stopwatch.GetTimestamp();
        TimeSpan longest = default;
        Lock gate = new();
        long before = load.Acknowledged;
        Task<string> loaded = load.RunAsync(Entries, acknowledged =>
        {
            // In the middle of the calls, and once.
            if (acknowledged == before + Entries) victim.Kill();
            lock (gate)
            {
                TimeSpan gap = Stopwatch.GetElapsedTime(last);
                if (gap > longest) longest = gap;
                last = Stopwatch.GetTimestamp();
            }
        });
        Console.WriteLine($"One is killed, {await loaded} answers, {load.Failures} calls repeated, longest time without an answer {longest.TotalSeconds:F1} s");
        if (!victim.HasExited) throw new InvalidOperationException("The silo was not killed.");
        Console.WriteLine($"Then {await load.RunAsync(Entries)} answers");
        Console.WriteLine($"{load.Acknowledged} entries acknowledged");
        return await load.CheckAsync();
    }

    private static async Task<ChildProcess> StartAsync(int number, int port, string folder)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!, ["silo", $"{number}", $"{port}", folder]);
        ChildProcess silo = ChildProcess.Start(start, new ChildProcessOptions { Redirect = StandardStreams.Output, TimeLimit = TimeSpan.FromMinutes(2) });
        if (await silo.StandardOutput.ReadLineAsync() != "ready") throw new InvalidOperationException($"Silo {number} has not started.");
        return silo;
    }
}
