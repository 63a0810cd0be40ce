using System.Diagnostics;

namespace Waterspout.Bench.SideBySide;

/// <summary>Says what is being done, and how long it will still take.</summary>
/// <remarks>All runs of a peer in a workload are taken to last equally long: what has passed tells what is to come.</remarks>
internal sealed class Progress(int total)
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private int _done;

    internal TimeSpan Elapsed => _clock.Elapsed;

    /// <summary>A workload begins, with so many peers.</summary>
    internal void Begin(string title)
    {
        string left = _done == 0 ? "" : $", about {Math.Ceiling(_clock.Elapsed.TotalMinutes / _done * (total - _done)):0} min left";
        Console.WriteLine($"[{_clock.Elapsed:mm\\:ss}{left}] {title}");
    }

    internal void End(int peers) => _done += peers;

    /// <summary>A line that the next one takes the place of. Where nobody watches it is not written.</summary>
    internal void Say(string text)
    {
        if (!Console.IsOutputRedirected) Console.Write($"\r  {text,-60}\r");
    }

    internal void Clear() => Say("");
}
