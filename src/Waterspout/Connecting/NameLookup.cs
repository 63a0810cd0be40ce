using System.Net;
using System.Net.Sockets;
using Waterspout.Loop;

namespace Waterspout.Connecting;

/// <summary>A lookup of a name by the system, which blocks a thread: one of our own, since those of the pool may all be blocked by the program.</summary>
/// <remarks>
/// A thread for each as a rule, so that a name server that does not answer holds up its own names only. A thread that is there takes what waits, then ends.
/// Whoever awaits continues on the loop, or sees to it himself that he does not continue here.
/// </remarks>
internal sealed class NameLookup(string host, AddressFamily family, CancellationToken cancellationToken)
{
    // As many as may wait for a name server at a time. More wait for a thread.
    private const int MaxThreads = 64;

    private static readonly Lock s_lock = new();
    private static readonly Queue<NameLookup> s_waiting = [];
    private static int s_threads;

    private readonly TaskCompletionSource<IPAddress[]> _result = new();

    internal static Task<IPAddress[]> RunAsync(string host, AddressFamily family, CancellationToken cancellationToken)
    {
        NameLookup lookup = new(host, family, cancellationToken);
        lock (s_lock)
        {
            s_waiting.Enqueue(lookup);
            if (s_threads == MaxThreads) return lookup._result.Task;
            s_threads++;
        }

        OwnThread.Start(Work, "Waterspout name lookup");
        return lookup._result.Task;
    }

    private static void Work()
    {
        while (Take() is { } lookup) lookup.Run();
    }

    private static NameLookup? Take()
    {
        lock (s_lock)
        {
            if (s_waiting.TryDequeue(out NameLookup? lookup)) return lookup;
            s_threads--;
            return null;
        }
    }

    private void Run()
    {
        try
        {
            // Nobody waits any more for one that has been cancelled.
            _result.SetResult(cancellationToken.IsCancellationRequested ? [] : Dns.GetHostAddresses(host, family));
        }
        catch (Exception error)
        {
            _result.SetException(error);
        }
    }
}
