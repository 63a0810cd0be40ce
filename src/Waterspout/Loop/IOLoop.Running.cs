using System.Runtime.CompilerServices;
using Waterspout.Diagnostics;
using Waterspout.Loop;

namespace Waterspout;

public sealed partial class IOLoop
{
    // Held by whoever runs the loop, so that Dispose on another thread waits for the last turn.
    private readonly Lock _running = new();
    private readonly Lock _wakeGuard = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly UnregisteredStreams _unregistered = new();
    private volatile TaskCompletionSource<bool>? _run; // the run under way; its result is whether it has ended by a stop
    private bool _isPollerGone;
    private volatile bool _disposeOnExit;

    /// <summary>Numbers the turns. What may be done once a turn, or so much a turn, is counted by it.</summary>
    internal long Turn { get; private set; }

    /// <summary>The stream's buffered writes leave at the end of this turn.</summary>
    internal void FlushAtEndOfTurn(BaseIOStream stream) => _unflushed.Add(stream);

    /// <summary>Cancelled when the loop has been disposed, and has run everything that it ever will.</summary>
    internal CancellationToken Ended => _ended.Token;

    /// <summary>Notes a stream that is not registered yet, for the end of the loop.</summary>
    /// <exception cref="ObjectDisposedException">The loop has been disposed.</exception>
    internal void AddUnregistered(BaseIOStream stream)
    {
        _unregistered.Add(stream);
        // Either the end of the loop finds the stream, or this finds that the loop has ended.
        ObjectDisposedException.ThrowIf(_isDisposed && _unregistered.Remove(stream), this);
    }

    internal void RemoveUnregistered(BaseIOStream stream) => _unregistered.Remove(stream);

    /// <summary>False where another thread runs the loop.</summary>
    private bool TryRunUntil(Func<bool> isDone)
    {
        if (t_current is not null) throw new InvalidOperationException("This thread runs a loop already.");
        if (!_running.TryEnter()) return false;
        SynchronizationContext? outer = System.Threading.SynchronizationContext.Current;
        try
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            Enter();
            using Watchdog? watchdog = WatchStalls();
            _run = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            Func<bool> isOver = () => isDone() || _disposeOnExit; // made once: a local function would be a new delegate each turn
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
        RunDeferred();
        RunDueTimers();
        FlushWrites();
        int events = WaitForEvents(isOver);
        if (events > 0) Dispatch(events);
        FlushWrites();
        Counters.Turns++;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void FlushWrites()
    {
        if (_unflushed.Count == 0) return;
        _busyPoll.ExpectAnswer();
        // By index: a flush that fails closes its stream, and nothing that runs then writes to another one, but a
        // stream that spent its turn's budget queues itself again through a callback.
        for (int i = 0; i < _unflushed.Count; i++)
            _unflushed[i].FlushWrites();
        _unflushed.Clear();
    }

    private int WaitForEvents(Func<bool> isOver)
    {
        long timeout = isOver() || _deferred.Count > 0 ? 0 : _clock.MillisecondsUntilNextTimer(_timers.First);
        if (timeout != 0 && _busyPoll.Poll(this, timeout) is > 0 and var found) return found;
        if (timeout == 0) return _poller.Wait(0);

        // Announce, then look: a callback added after the look sees the announcement and wakes. The barrier keeps the
        // two in that order; its counterpart is in WakeIfWaiting. What an earlier wait has left is cleared before, and not
        // after the wait: a thread that saw the old announcement may set it later, and a poll that does not wait take its signal.
        Volatile.Write(ref _isWoken, 0);
        _isWaiting = true;
        Interlocked.MemoryBarrier();
        if (!_callbacks.IsEmpty || isOver()) timeout = 0;
        int events = _poller.Wait((int)timeout);
        _isWaiting = false;
        return events;
    }

    /// <summary>Looks for events without waiting, for <see cref="BusyPoll"/>. Negative when there is other work.</summary>
    internal int PollOnce() => _callbacks.IsEmpty && !_stopRequested ? _poller.Wait(0) : -1;

    private void WakeIfWaiting()
    {
        Interlocked.MemoryBarrier();
        if (!Volatile.Read(ref _isWaiting) || Interlocked.Exchange(ref _isWoken, 1) != 0) return;
        // The descriptor that wakes may be gone by now, and its number another's. One thread a wait gets here.
        lock (_wakeGuard)
            if (!_isPollerGone) _poller.Wake();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Dispatch(int events)
    {
        long begun = Clock.Timestamp();
        long started = begun;
        for (int i = 0; i < events; i++)
        {
            (ulong token, IOEvents ready) = _poller.GetReport(i);
            // Looked up when its turn has come: a handler before it may have closed this one.
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
        foreach (BaseIOStream stream in _unregistered.All)
            if (_unregistered.Remove(stream)) Run(LoopCallback.Of(stream, close));
    }

    private void DisposeCore()
    {
        _isDisposed = true;
        SynchronizationContext? outer = System.Threading.SynchronizationContext.Current;
        Enter();
        // A callback of a close may wait for the loop as any other.
        using Watchdog? watchdog = WatchStalls();
        try
        {
            CloseStreams();
            // Callbacks that the closes have queued may queue more, and may register streams that were made on other threads.
            for (int i = 0; i < 1000 && !_callbacks.TryClose(); i++)
            {
                RunCallbacks();
                CloseStreams();
            }

            // A callback that always adds itself is cut off, but whatever waits has its turn: somebody may wait for it.
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

            // Calls of other threads that still have no outcome wait for what will not come any more.
            _ended.Cancel();
        }
    }
}
