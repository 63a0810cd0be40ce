using System.Net;
using System.Net.Sockets;
using Waterspout.Loop;

namespace Waterspout.Connecting;

/// <summary>
/// A name lookup by the system, which blocks a thread: one of our own, since the program may have blocked all pool threads.
/// </summary>
/// <remarks>
/// Usually one thread per lookup, so that a name server that does not answer delays only its own names. A running thread takes waiting
/// lookups, then ends. The caller must make sure that its continuation runs on the loop, or at least not on this thread.
/// </remarks>
internal sealed class NameLookup(string host, AddressFamily family, CancellationToken cancellationToken)
{
    // How many lookups may wait for name servers at a time. More wait for a thread.
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
            // A cancelled lookup has no waiter any more.
            _result.SetResult(cancellationToken.IsCancellationRequested ? [] : Dns.GetHostAddresses(host, family));
        }
        catch (Exception error)
        {
            _result.SetException(error);
        }
    }
}
