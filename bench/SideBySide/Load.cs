using System.Diagnostics;
using System.Globalization;

namespace Waterspout.Bench.SideBySide;

/// <summary>Runs the load generator.</summary>
internal sealed class Load(Toolchain tools)
{
    private readonly string _program = Path.Combine(tools.Output, "load");

    /// <summary>One measurement. Null, with a message on standard error, if the load found an error.</summary>
    internal Sample? Run(Workload workload, ServerProcess server, double warm, double seconds)
    {
        if (server.HasExited) return null;
        using Process process = Start(workload, server, warm, Math.Max(seconds, workload.LeastSeconds));
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromSeconds(120)))
        {
            process.Kill();
            Console.Error.WriteLine($"{server.Peer.Name}: no answer in two minutes");
            return null;
        }

        return process.ExitCode == 0 ? Parse(output.Result.Split('\n', StringSplitOptions.RemoveEmptyEntries)) : null;
    }

    /// <summary>Opens the connections of a workload. They stay open until the process's standard input is closed.</summary>
    internal Process? Hold(Workload workload, ServerProcess server)
    {
        Process process = Start(workload, server, 0, 0);
        if (process.StandardOutput.ReadLine() is not null) return process;
        process.Dispose();
        return null;
    }

    /// <summary>
    /// A short run with hooks: <paramref name="begin"/> is called when the connections are open, <paramref name="end"/> when the last
    /// answer has arrived and they are still open. Workloads about connections open and close all of theirs in between.
    /// </summary>
    internal Sample? RunAround(Workload workload, ServerProcess server, Action begin, Action end)
    {
        bool isHeld = workload.Load[0] is "pingpong" or "broadcast";
        if (server.HasExited) return null;
        if (!isHeld) begin();
        using Process process = Start(isHeld ? workload with { Load = [.. workload.Load, "hold=1"] } : workload, server, 0, 0.4);
        List<string> lines = [];
        while (process.StandardOutput.ReadLine() is { } line && line != "done")
        {
            if (line != "connected")
            {
                lines.Add(line);
                continue;
            }

            begin();
            process.StandardInput.WriteLine();
        }

        end();
        process.StandardInput.Close();
        process.WaitForExit();
        return process.ExitCode == 0 ? Parse(lines) : null;
    }

    private static Sample Parse(IEnumerable<string> lines)
    {
        Dictionary<string, double> values = [];
        foreach (string line in lines)
            values[line[..line.IndexOf(' ')]] = double.Parse(line.AsSpan(line.IndexOf(' ')), CultureInfo.InvariantCulture);
        double Get(string name) => values.GetValueOrDefault(name, double.NaN);
        return new Sample(Get("seconds"), Get("messages"), Get("bytes"), Get("cpu"), Get("idle"), Get("all_messages"), Get("p50"), Get("p99"), Get("p999"), Get("work_left"));
    }

    private Process Start(Workload workload, ServerProcess server, double warm, double seconds)
    {
        List<string> arguments = [.. workload.Load, $"port={server.Port}", $"pid={server.Id}"];
        arguments.Add(string.Create(CultureInfo.InvariantCulture, $"warm={warm}"));
        arguments.Add(string.Create(CultureInfo.InvariantCulture, $"seconds={seconds}"));
        if (workload.IsPinned) arguments.AddRange([$"cpu={Machine.LoadCore}", $"server_cpu={Machine.ServerCore}"]);
        return Process.Start(new ProcessStartInfo(_program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
    }
}
