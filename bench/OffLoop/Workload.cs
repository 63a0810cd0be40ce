using System.Diagnostics;
using System.Net.Sockets;

namespace Waterspout.Bench.OffLoop;

/// <summary>The same work by several clients, which take turns.</summary>
internal sealed class Workload(string name, int count, params (string Name, Func<Socket, Task> Run)[] clients)
{
    internal string Name => name;

    internal async Task RunAsync(int rounds)
    {
        List<double>[] times = [.. clients.Select(_ => new List<double>())];
        List<double>[] cpu = [.. clients.Select(_ => new List<double>())];
        // The first ones compile, and compile again with what they have learnt.
        for (int round = -30; round < rounds; round++)
        {
            for (int i = 0; i < clients.Length; i++)
            {
                (double time, double used) = await MeasureAsync(clients[i].Run);
                if (round < 0) continue;
                times[i].Add(time);
                cpu[i].Add(used);
            }
        }

        Console.WriteLine($"{name}, microseconds: median [least, most]; CPU of both sides");
        for (int i = 0; i < clients.Length; i++) Console.WriteLine($"  {clients[i].Name,-22} {Spread(times[i])}   {Spread(cpu[i])}");
    }

    private async Task<(double Time, double Cpu)> MeasureAsync(Func<Socket, Task> run)
    {
        using Peer peer = new();
        Socket socket = peer.Connect();
        GC.Collect();
        TimeSpan used = Environment.CpuUsage.TotalTime;
        long begun = Stopwatch.GetTimestamp();
        await run(socket);
        double time = Stopwatch.GetElapsedTime(begun).TotalMicroseconds / count;
        return (time, (Environment.CpuUsage.TotalTime - used).TotalMicroseconds / count);
    }

    private static string Spread(List<double> values)
    {
        values.Sort();
        return $"{values[values.Count / 2],7:f2} [{values[0],6:f2}, {values[^1],6:f2}]";
    }
}
