using System.Diagnostics;
using System.Globalization;

namespace Waterspout.Bench.SideBySide;

/// <summary>Counts system calls in a separate run, which is too slow for other measurements.</summary>
internal static class SystemCalls
{
    internal static bool IsPossible { get; } = Toolchain.Has("strace");

    /// <summary>Calls per message or MiB, in all and the three most frequent. Null if strace fails.</summary>
    internal static CallCount? Count(Load load, Workload workload, ServerProcess server)
    {
        string summary = Path.GetTempFileName();
        Process? strace = null;
        try
        {
            Sample? sample = load.RunAround(workload, server, () => strace = Attach(server, summary), () => Detach(strace));
            return sample is null ? null : Parse(File.ReadAllLines(summary), workload.IsBulk ? sample.AllMebibytes : sample.AllMessages);
        }
        finally
        {
            strace?.Dispose();
            File.Delete(summary);
        }
    }

    private static Process Attach(ServerProcess server, string summary)
    {
        Process strace = Process.Start(new ProcessStartInfo("strace", ["-c", "-f", "-o", summary, "-p", $"{server.Id}"]) { RedirectStandardError = true })!;
        strace.StandardError.ReadLine(); // it prints a line when it has attached
        _ = strace.StandardError.ReadToEndAsync();
        return strace;
    }

    private static void Detach(Process? strace)
    {
        if (strace is null) return;
        Toolchain.TryRun("kill", "-INT", $"{strace.Id}");
        strace.WaitForExit();
    }

    // % time, seconds, usecs/call, calls, errors (may be missing), name
    private static CallCount? Parse(string[] lines, double units)
    {
        List<(string Name, double Calls)> calls = [];
        foreach (string line in lines)
        {
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length >= 5 && char.IsDigit(fields[0][0]) && fields[^1] != "total")
                calls.Add((fields[^1], double.Parse(fields[3], CultureInfo.InvariantCulture)));
        }

        if (calls.Count == 0) return null;
        IEnumerable<string> frequent = calls.OrderByDescending(call => call.Calls).Take(3)
            .Select(call => string.Create(CultureInfo.InvariantCulture, $"{call.Name} {call.Calls / units:0.##}"));
        return new CallCount(calls.Sum(call => call.Calls) / units, string.Join(", ", frequent));
    }
}
