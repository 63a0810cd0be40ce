using Waterspout.Interop;

namespace Waterspout.Loop;

/// <summary>What a connection that any thread may use needs of the loop that watches its descriptor.</summary>
/// <remarks>
/// A loop that is no <see cref="IOLoop"/> implements this over a poller, a table of registrations and a queue of its own.
/// </remarks>
internal interface IConnectionLoop
{
    /// <summary>
    /// The caller runs on this loop, which sends what is queued by <see cref="FlushAtEndOfTurn"/> when the code that runs now has returned.
    /// </summary>
    bool IsInTurn { get; }

    /// <summary>The caller is on a thread that its awaits return to: code that waits there is resumed there.</summary>
    bool IsHome { get; }

    /// <summary>This moment, on any thread; none where it is not used.</summary>
    Moment CurrentMoment { get; }

    /// <summary>Watches a descriptor, edge-triggered, for everything. The handler is rooted. On the loop's thread only.</summary>
    Registration Watch(Descriptor fd, IReadinessHandler handler);

    /// <summary>Ends the watch, before the descriptor is closed. On the loop's thread only.</summary>
    void Unregister(Registration registration);

    /// <summary>The descriptor was found not ready, and the next event is awaited. From any thread.</summary>
    void RearmAnywhere(Registration registration, IOEvents events, DescriptorTraits traits);

    /// <summary>Queues a call for the loop's next turn. False if the loop has ended. From any thread.</summary>
    bool TryPost<T>(T state, Action<T> call);

    /// <summary>Calls a function on the loop after a delay. From any thread.</summary>
    IDisposable CallLater(TimeSpan delay, Action callback);

    /// <summary>Runs the code that waited for an event: as a rule on the thread pool. On the loop's thread only.</summary>
    void Resume(IThreadPoolWorkItem work);

    /// <summary>Sends at the end of the turn. Only where <see cref="IsInTurn"/> is true.</summary>
    void FlushAtEndOfTurn(IFlushable output);
}
