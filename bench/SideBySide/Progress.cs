using System.Diagnostics;

namespace Waterspout.Bench.SideBySide;

/// <summary>Prints what is being done, and how long the rest will take.</summary>
/// <remarks>All runs of a peer in a workload are assumed to take the same time, so the rest is estimated from what has passed.</remarks>
internal sealed class Progress(int total)
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private int _done;

    internal TimeSpan Elapsed => _clock.Elapsed;

    /// <summary>A workload with this number of peers begins.</summary>
    internal void Begin(string title)
    {
        string left = _done == 0 ? "" : $", about {Math.Ceiling(_clock.Elapsed.TotalMinutes / _done * (total - _done)):0} min left";
        Console.WriteLine($"[{_clock.Elapsed:mm\\:ss}{left}] {title}");
    }

    internal void End(int peers) => _done += peers;

    /// <summary>A line that the next one overwrites. It is not written if the output is redirected.</summary>
    internal void Say(string text)
    {
        if (!Console.IsOutputRedirected) Console.Write($"\r  {text,-60}\r");
    }

    internal void Clear() => Say("");
}
