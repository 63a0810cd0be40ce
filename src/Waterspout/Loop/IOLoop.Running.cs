using System.Runtime.CompilerServices;
using Waterspout.Diagnostics;
using Waterspout.Loop;

namespace Waterspout;

public sealed partial class IOLoop
{
    // Held by the thread that runs the loop, so that Dispose on another thread waits for the last turn.
    private readonly Lock _running = new();
    private readonly Lock _wakeGuard = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly UnregisteredHandlers _unregistered = new();
    private volatile TaskCompletionSource<bool>? _run; // the current run; its result is whether it was ended by a stop
    private long _checkedAt; // for events; zero if the lag is not measured
    private bool _isPollerGone;
    private volatile bool _disposeOnExit;

    /// <summary>Numbers the turns, for work that is limited to once, or to an amount, per turn.</summary>
    internal long Turn { get; private set; }

    /// <summary>The stream's buffered writes are sent at the end of this turn.</summary>
    internal void FlushAtEndOfTurn(IFlushable stream) => _unflushed.Add(stream);

    /// <summary>Cancelled when the loop has been disposed, and will run nothing more.</summary>
    internal CancellationToken Ended => _ended.Token;

    /// <summary>Tracks a stream that is not registered yet, so that the end of the loop closes it.</summary>
    /// <exception cref="ObjectDisposedException">The loop has been disposed.</exception>
    internal void AddUnregistered(IReadinessHandler stream)
    {
        _unregistered.Add(stream);
        // Either the end of the loop finds the stream, or this call sees that the loop has ended.
        ObjectDisposedException.ThrowIf(_isDisposed && _unregistered.Remove(stream), this);
    }

    internal void RemoveUnregistered(IReadinessHandler stream) => _unregistered.Remove(stream);

    /// <summary>False if another thread runs the loop.</summary>
    private bool TryRunUntil(Func<bool> isDone)
    {
        if (t_current is not null) throw new InvalidOperationException("This thread already runs a loop.");
        if (!_running.TryEnter()) return false;
        SynchronizationContext? outer = System.Threading.SynchronizationContext.Current;
        try
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            Enter();
            using Watchdog? watchdog = WatchStalls();
            _run = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            Func<bool> isOver = () => isDone() || _disposeOnExit; // created once: a local function would be a new delegate each turn
            do RunTurn(isOver);
            while (!isOver());
            return true;
        }
        finally
        {
            bool isStopped = _stopRequested;
            _stopRequested = false;
            Leave(outer);
            if (_disposeOnExit && !_isDisposed) DisposeCore();
            TaskCompletionSource<bool>? run = _run;
            _run = null;
            _running.Exit();
            run?.SetResult(isStopped);
        }
    }

    private void Enter()
    {
        _threadId = Environment.CurrentManagedThreadId;
        t_current = this;
        System.Threading.SynchronizationContext.SetSynchronizationContext(SynchronizationContext);
    }

    private void Leave(SynchronizationContext? outer)
    {
        System.Threading.SynchronizationContext.SetSynchronizationContext(outer);
        t_current = null;
        _threadId = 0;
    }

    private void RunTurn(Func<bool> isOver)
    {
        Turn++;
        _clock.Update();
        RunCallbacks();
        RunDueTimers();
        FlushWrites();
        int events = WaitForEvents(isOver);
        if (events > 0) Dispatch(events);
        RunDeferred(isIdle: events == 0 && _callbacks.IsEmpty);
        FlushWrites();
        Counters.Turns++;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void FlushWrites()
    {
        if (_unflushed.Count == 0) return;
        _busyPoll.ExpectAnswer();
        // By index: a flush that fails closes its stream, and nothing that runs then writes to another one, but a stream that has spent its
        // turn's budget queues itself again through a callback.
        for (int i = 0; i < _unflushed.Count; i++)
            _unflushed[i].FlushWrites();
        _unflushed.Clear();
    }

    private int WaitForEvents(Func<bool> isOver)
    {
        RecordLag();
        int events = WaitForEventsCore(isOver);
        if (Metrics.Lag.Enabled) _checkedAt = Clock.Timestamp();
        return events;
    }

    /// <summary>Records the time since the last check for events.</summary>
    private void RecordLag()
    {
        if (_checkedAt == 0) return;
        Metrics.Lag.Record(Clock.ToSeconds(Clock.Timestamp() - _checkedAt), Metrics.LoopTag(Name));
        _checkedAt = 0;
    }

    private int WaitForEventsCore(Func<bool> isOver)
    {
        long timeout = isOver() || _deferred.Count > 0 ? 0 : _clock.MillisecondsUntilNextTimer(_timers.First);
        if (timeout != 0 && _busyPoll.Poll(this, timeout) is > 0 and var found) return found;
        if (timeout == 0) return _poller.Wait(0);

        // Announce, then check: a callback added after the check sees the announcement and wakes the loop. The barrier keeps the two in
        // that order; its counterpart is in WakeIfWaiting. What an earlier wait has left is cleared before the wait, not after: a thread
        // that saw the old announcement may set it late, and a poll that does not wait may consume its signal.
        Volatile.Write(ref _isWoken, 0);
        _isWaiting = true;
        Interlocked.MemoryBarrier();
        if (!_callbacks.IsEmpty || isOver()) timeout = 0;
        else _registrations.AssertRoots();
        int events = _poller.Wait((int)timeout);
        _isWaiting = false;
        return events;
    }

    /// <summary>Checks for events without waiting, for <see cref="BusyPoll"/>. Negative if there is other work.</summary>
    internal int PollOnce() => _callbacks.IsEmpty && !_stopRequested ? _poller.Wait(0) : -1;

    private void WakeIfWaiting()
    {
        Interlocked.MemoryBarrier();
        if (!Volatile.Read(ref _isWaiting) || Interlocked.Exchange(ref _isWoken, 1) != 0) return;
        // The wake-up descriptor may be closed by now, and its number reused. One thread per wait gets here.
        lock (_wakeGuard)
            if (!_isPollerGone) _poller.Wake();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Dispatch(int events)
    {
        long begun = Clock.Timestamp();
        // The wait may have been long, and what arrived in it is noted with the time.
        _clock.Update(begun);
        long started = begun;
        for (int i = 0; i < events; i++)
        {
            (ulong token, IOEvents ready) = _poller.GetReport(i);
            // Looked up only now: an earlier handler in the batch may have closed this one.
            if (_registrations.Find(token) is not { } handler) continue;
            _current = handler;
            Guard(handler, ready);
            started = CheckForStall(started);
        }

        _current = null;
        Counters.BusyTicks += started - begun;
    }

    private void Guard(IReadinessHandler handler, IOEvents ready)
    {
        try
        {
            handler.HandleEvents(ready);
        }
        catch (Exception error)
        {
            Log.CallbackFailed(Logger, error, Name);
            ReportUnhandled(error);
        }

        ForgetAsyncLocals();
    }

    private void CloseStreams()
    {
        Action<IReadinessHandler> close = static handler => handler.EndWithLoop();
        foreach (IReadinessHandler handler in _registrations.Handlers) Run(LoopCallback.Of(handler, close));
        foreach (IReadinessHandler stream in _unregistered.All)
            if (_unregistered.Remove(stream)) Run(LoopCallback.Of(stream, close));
    }

    private void DisposeCore()
    {
        _isDisposed = true;
        SynchronizationContext? outer = System.Threading.SynchronizationContext.Current;
        Enter();
        // A close callback may wait for the loop like any other.
        using Watchdog? watchdog = WatchStalls();
        try
        {
            CloseStreams();
            // Callbacks queued by the closes may queue more, and may register streams that were created on other threads.
            for (int i = 0; i < 1000 && !_callbacks.TryClose(); i++)
            {
                RunCallbacks();
                CloseStreams();
            }

            // A callback that always re-adds itself is cut off, but everything that waits runs once: code may be waiting for it.
            _callbacks.Close();
            RunCallbacks();
            CloseStreams();
            FlushWrites();
            PeerErrors.EndSecond();
        }
        finally
        {
            Leave(outer);
            Metrics.Remove(this);
            _clock.Dispose();
            _timers.Clear();
            lock (_wakeGuard)
            {
                _isPollerGone = true;
                _poller.Dispose();
            }

            // Calls from other threads that still have no outcome wait for something that will never come.
            _ended.Cancel();
        }
    }
}
