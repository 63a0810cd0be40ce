using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Waterspout.Diagnostics;
using Waterspout.Loop;

namespace Waterspout;

/// <summary>
/// An event loop: one thread that waits for descriptors, timers and callbacks, and runs what they were waited for with.
/// Streams belong to a loop, and everything about them happens on its thread.
/// </summary>
/// <remarks>
/// <para>Three ways to have one: <see cref="Default"/>, which runs on a thread of its own from its first use;
/// an <see cref="IOLoopGroup"/>; or <c>new IOLoop()</c>, which <see cref="Start"/> or <see cref="RunSync(Func{Task}, TimeSpan?)"/>
/// runs on the calling thread.</para>
/// <para>Threading: every member may be called from any thread. Awaits of code that runs on the loop come back to it.
/// Whatever runs on the loop must not block: while it does, no stream of the loop moves.</para>
/// <para>Difference from the reference: there is no <c>make_current</c>; a loop is current on the thread that runs it.</para>
/// </remarks>
public sealed partial class IOLoop : IDisposable
{
    // Theory of operation. The thread that runs the loop goes round a turn (RunTurn):
    //
    //        +--> callbacks that were waiting (not those they add)
    //        |    timers that are due
    //        |    write buffers that were filled since the last time: one send for each stream
    //        |    wait: for events, a timer, or a wake-up (not at all when callbacks wait)
    //        +--- events, collected first, then dispatched to their handlers
    //
    // Reads complete inside the dispatch: the code that awaits one goes on there and then, on this thread, and what it
    // writes leaves at the end of the turn. Everything else that completes (closes, cancellations, calls from other
    // threads) does so by a callback, so that no user code ever runs inside another user's call.
    //
    // Another thread that adds a callback wakes the poller only when the loop may be waiting and nobody has woken it
    // yet: see WakeIfWaiting.

    private static readonly Lazy<IOLoop> s_default = new(() => StartOnThread(new IOLoopOptions { Name = "Waterspout default loop" }));
    [ThreadStatic] private static IOLoop? t_current;

    private readonly IPoller _poller;
    private readonly RegistrationTable _registrations = new();
    private readonly CallbackQueue _callbacks = new();
    private readonly List<BaseIOStream> _unflushed = [];
    private readonly BusyPoll _busyPoll;
    private readonly long _stallTicks;
    private volatile int _threadId;
    private volatile bool _stopRequested;
    private volatile bool _isDisposed;
    private bool _isWaiting;
    private int _isWoken;

    /// <summary>Makes a loop that does not run yet.</summary>
    /// <param name="options">How the loop works.</param>
    /// <exception cref="ArgumentOutOfRangeException">A time in the options is negative.</exception>
    /// <exception cref="PlatformNotSupportedException">The poller asked for does not exist on this system.</exception>
    public IOLoop(IOLoopOptions? options = null)
    {
        Options = options is null ? new IOLoopOptions() : options with { };
        ArgumentOutOfRangeException.ThrowIfLessThan(Options.BusyPoll, TimeSpan.Zero, nameof(options));
        if (Options.StallThreshold != Timeout.InfiniteTimeSpan) ArgumentOutOfRangeException.ThrowIfLessThan(Options.StallThreshold, TimeSpan.Zero, nameof(options));
        Logger = Options.LoggerFactory.CreateLogger("Waterspout");
        SynchronizationContext = new IOLoopSynchronizationContext(this);
        _busyPoll = new BusyPoll(Options.BusyPoll);
        _stallTicks = Options.StallThreshold > TimeSpan.Zero ? Clock.ToStopwatchTicks(Options.StallThreshold) : long.MaxValue;
        _poller = PollerFactory.Create(Options.Poller);
        _clock = new Clock(Options.TimeProvider, this);
        Metrics.Add(this);
    }

    /// <summary>The loop that runs on this thread, or that this thread is starting; else <see cref="Default"/>.</summary>
    public static IOLoop Current => t_current ?? Default;

    /// <summary>The loop of the process: made and started, on a background thread, at the first use. It is never disposed.</summary>
    public static IOLoop Default => s_default.Value;

    /// <summary>True when the caller runs on this loop's thread.</summary>
    public bool IsCurrent => _threadId == Environment.CurrentManagedThreadId;

    /// <summary>The name given in the options.</summary>
    public string Name => Options.Name;

    internal IOLoopOptions Options { get; }

    internal ILogger Logger { get; }

    internal IOLoopSynchronizationContext SynchronizationContext { get; }

    internal LoopCounters Counters { get; } = new();

    internal bool IsDisposed => _isDisposed;

    internal int WaitingCallbacks => _callbacks.Count;

    internal int TimerCount => _timers.Count;

    /// <summary>Runs the loop on the calling thread until <see cref="Stop"/>.</summary>
    /// <remarks>A stop that came before makes it return after one turn. It may be started again afterwards.</remarks>
    /// <exception cref="InvalidOperationException">The loop runs already, or the thread runs another loop.</exception>
    /// <exception cref="ObjectDisposedException">The loop has been disposed.</exception>
    public void Start() => RunUntil(() => _stopRequested);

    /// <summary>Makes <see cref="Start"/> return at the end of the current turn. May be called from any thread.</summary>
    /// <remarks>Streams stay open, and go on when the loop is started again.</remarks>
    public void Stop()
    {
        _stopRequested = true;
        WakeIfWaiting();
    }

    /// <summary>Runs the loop on the calling thread until the task that <paramref name="main"/> returns has ended.</summary>
    /// <param name="main">Called on the loop.</param>
    /// <param name="timeout">How long that may take; without limit when null.</param>
    /// <remarks>Where another thread runs the loop already, the caller waits while <paramref name="main"/> runs there.</remarks>
    /// <exception cref="TimeoutException">The time was up. What <paramref name="main"/> started is left as it is.</exception>
    /// <exception cref="InvalidOperationException">Called on the loop itself, or on a thread that runs another loop.</exception>
    /// <exception cref="ObjectDisposedException">The loop has been disposed.</exception>
    public void RunSync(Func<Task> main, TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(main);
        RunSync(async () => { await main(); return true; }, timeout);
    }

    /// <summary>Runs the loop on the calling thread until the task that <paramref name="main"/> returns has ended, and returns its result.</summary>
    /// <inheritdoc cref="RunSync(Func{Task}, TimeSpan?)"/>
    public T RunSync<T>(Func<Task<T>> main, TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(main);
        if (IsCurrent) throw new InvalidOperationException("RunSync was called on the loop itself, which would wait for itself for ever.");
        Task<T> task = InvokeAsync(main);
        bool isOver = false;
        using IDisposable? limit = timeout is { } time ? CallLater(time, () => isOver = true) : null;

        if (_threadId != 0)
        {
            if (!((IAsyncResult)task).AsyncWaitHandle.WaitOne(timeout ?? Timeout.InfiniteTimeSpan)) isOver = true;
        }
        else
        {
            // The completion has to end the wait as well: main may end on another thread.
            task.ContinueWith(static (_, loop) => ((IOLoop)loop!).TryPost(new LoopCallback(static _ => { }, null)), this,
                CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            RunUntil(() => task.IsCompleted || isOver);
        }

        if (isOver && !task.IsCompleted) throw new TimeoutException($"The operation did not complete within {timeout}.");
        ObjectDisposedException.ThrowIf(!task.IsCompleted, this);
        return task.GetAwaiter().GetResult();
    }

    /// <summary>
    /// Stops the loop, closes every stream that is still open (pending operations fail with
    /// <see cref="StreamClosedException"/>), runs the callbacks that were waiting, and frees what the loop holds.
    /// </summary>
    /// <remarks>Called on another thread it waits for the turn to end; called on the loop, the loop ends after the turn.</remarks>
    public void Dispose()
    {
        if (_isDisposed) return;
        _disposeOnExit = true;
        Stop();
        if (IsCurrent) return;

        lock (_running)
        {
            if (_isDisposed) return;
            DisposeCore();
        }
    }

    /// <summary>A loop on a background thread of its own.</summary>
    internal static IOLoop StartOnThread(IOLoopOptions options)
    {
        IOLoop loop = new(options);
        Thread thread = new(loop.Start) { IsBackground = true, Name = options.Name };
        // Waited for: if the loop were disposed before it has begun, its thread would die of that, and the process with it.
        using ManualResetEventSlim started = new();
        loop.AddCallback(started.Set);
        thread.Start();
        started.Wait();
        return loop;
    }

    [Conditional("DEBUG")]
    internal void AssertIsCurrent() => Debug.Assert(IsCurrent, "Called off the loop's thread.");
}
