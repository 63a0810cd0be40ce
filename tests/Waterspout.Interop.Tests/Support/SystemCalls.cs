using System.Globalization;

namespace Waterspout.Interop.Tests;

/// <summary>Counts the system calls of a running process, with strace.</summary>
internal sealed class SystemCalls : IDisposable
{
    private readonly string _summary = Path.GetTempFileName();
    private readonly Child _strace;

    private SystemCalls(string strace, int process) => _strace = Child.Start(strace, "-f", "-c", "-o", _summary, "-p", $"{process}");

    /// <summary>The calls, and how many of them failed. A missing name was not called.</summary>
    internal Dictionary<string, (int Calls, int Errors)> Counts { get; } = [];

    /// <summary>Starts counting. Skips the test if strace is missing, or not permitted to trace.</summary>
    internal static async Task<SystemCalls> AttachAsync(int process)
    {
        SystemCalls calls = new(Tool.Require("strace"), process);
        string? said = await calls._strace.ReadErrorLineAsync();
        if (said?.Contains("attached", StringComparison.Ordinal) == true) return calls;
        calls.Dispose();
        Assert.Skip($"strace may not trace here: {said}");
        return calls;
    }

    /// <summary>Stops counting.</summary>
    internal async Task DetachAsync()
    {
        await _strace.SignalAsync("INT");
        await _strace.WaitForExitAsync();
        foreach (string line in await File.ReadAllLinesAsync(_summary)) Add(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    internal int Of(params string[] names) => names.Sum(name => Counts.GetValueOrDefault(name).Calls);

    public override string ToString() => string.Join(", ", Counts.Select(call => $"{call.Key} {call.Value.Calls} ({call.Value.Errors} failed)"));

    public void Dispose()
    {
        _strace.Dispose();
        File.Delete(_summary);
    }

    // % time, seconds, usecs/call, calls, errors (may be missing), name
    private void Add(string[] fields)
    {
        if (fields.Length < 5 || !char.IsDigit(fields[0][0]) || fields[^1] == "total") return;
        Counts[fields[^1]] = (Number(fields[3]), fields.Length > 5 ? Number(fields[4]) : 0);
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
