using Waterspout.Interop;
using Waterspout.Loop;
using Waterspout.Polling;

namespace Waterspout.Kestrel.Loops;

/// <summary>An event loop whose connections are run by the thread pool.</summary>
/// <remarks>
/// <para>Theory of operation. A thread of the loop's own waits for events. What they bring to do is application code, and that belongs on
/// the thread pool; but a hop to the pool for each request costs more than the request. So the loop itself goes to the pool: its thread
/// queues one work item and parks, and the worker that runs this item <em>leads</em>. It runs each connection (receive, application, send),
/// polls without waiting, and continues as long as there is something to do. Then it wakes the thread, which waits for events again. So
/// there is one hop for many requests under load, and the application sees an ordinary thread of the pool. A leader that finds a single
/// piece of work costs two hops for it, there and back. After such a one, work that comes alone is a work item of the pool, nearly always.</para>
/// <para>One connection after the other is right for code that is short, and wrong for code that blocks. Two things guard against that.
/// <em>Fan-out</em>: each piece of work is timed, and one that takes long makes the loop queue a work item for each connection instead, for
/// a while, as Kestrel's own transport always does. <em>Take-over</em>: the parked thread looks at the leader every few milliseconds; if it
/// is still in the same piece of work, the thread takes the loop from it, and fans out. The worker finds that out when the application
/// returns. And a leader that the pool has no thread for is not awaited: the thread runs the loop itself, and fans out.</para>
/// <para>Whoever runs the loop, thread or leader, is alone to use the poller, the table and the queues. The right to it is in the lease
/// (<see cref="Lease"/>), which is all that has to be atomic.</para>
/// </remarks>
internal sealed partial class TransportLoop : IConnectionLoop, IThreadPoolWorkItem
{
    private readonly IPoller _poller = PollerFactory.Create(PollerKind.Default);
    private readonly RegistrationTable _registrations = new();
    private readonly CallbackQueue _callbacks = new();
    private readonly Queue<IThreadPoolWorkItem> _work = new();
    private readonly Lock _wakeGuard = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly bool _mayLead;
    private bool _isWaiting;
    private int _isWoken;
    private bool _isPollerGone;
    private volatile bool _isStopping;

    internal TransportLoop(int number, SchedulingMode scheduling)
    {
        _mayLead = scheduling == SchedulingMode.Auto;
        _lease = new Lease(this);
        new Thread(RunThread) { IsBackground = true, Name = $"Waterspout transport {number}" }.UnsafeStart();
    }

    bool IConnectionLoop.IsInTurn => Lease.IsHeldFor(this);

    // Application code awaits on the pool's threads, whichever thread leads.
    bool IConnectionLoop.IsHome => false;

    // Its connections are not listed, so a clock need not be read for each call on the descriptor.
    Moment IConnectionLoop.CurrentMoment => default;

    Registration IConnectionLoop.Watch(Descriptor fd, IReadinessHandler handler)
    {
        Registration registration = _registrations.Add(fd, handler, isWeak: false);
        try
        {
            _poller.Add(fd, registration.Token, EdgeEvents.All, edgeTriggered: true);
            return registration;
        }
        catch
        {
            _registrations.Remove(registration);
            throw;
        }
    }

    void IConnectionLoop.Unregister(Registration registration)
    {
        Descriptor fd = _registrations.FdOf(registration);
        if (_registrations.Remove(registration)) _poller.Remove(fd);
    }

    void IConnectionLoop.RearmAnywhere(Registration registration, IOEvents events, DescriptorTraits traits)
    {
        if (!_poller.MustRearm(traits)) return;
        TryPost((Loop: this, registration, events, traits), static call =>
        {
            // It may have been closed meanwhile.
            if (call.Loop._registrations.Find(call.registration.Token) is null) return;
            Descriptor fd = call.Loop._registrations.FdOf(call.registration);
            call.Loop._poller.Rearm(fd, call.registration.Token, call.events, call.traits);
        });
    }

    /// <summary>Queues a call for the thread that runs the loop. False if the loop has ended.</summary>
    public bool TryPost<T>(T state, Action<T> call)
    {
        if (!_callbacks.TryAdd(LoopCallback.Of(state, call))) return false;
        Wake();
        return true;
    }

    IDisposable IConnectionLoop.CallLater(TimeSpan delay, Action call) =>
        new Timer(_ => TryPost(call, static call => call()), null, delay, Timeout.InfiniteTimeSpan);

    void IConnectionLoop.Resume(IThreadPoolWorkItem work) => _work.Enqueue(work);

    void IConnectionLoop.FlushAtEndOfTurn(IFlushable output) => Lease.Defer(output);

    /// <summary>Closes what is left, and ends the thread. Completes when it has ended.</summary>
    internal Task EndAsync()
    {
        _isStopping = true;
        Wake();
        return _ended.Task;
    }

    private void Wake()
    {
        Interlocked.MemoryBarrier();
        if (!Volatile.Read(ref _isWaiting) || Interlocked.Exchange(ref _isWoken, 1) != 0) return;
        // The wake-up descriptor may be closed by now, and its number reused.
        lock (_wakeGuard)
            if (!_isPollerGone) _poller.Wake();
    }

    /// <summary>Ends everything on the loop. On its thread, which no leader can take the place of any more.</summary>
    private void End()
    {
        // The closes queue calls, and those may queue more.
        for (int i = 0; i < 100 && !_callbacks.TryClose(); i++) RunCallbacks();
        foreach (IReadinessHandler handler in _registrations.Handlers) handler.EndWithLoop();
        _callbacks.Close();
        RunCallbacks();
        FanOut();
        lock (_wakeGuard)
        {
            _isPollerGone = true;
            _poller.Dispose();
        }

        _ended.SetResult();
    }
}
