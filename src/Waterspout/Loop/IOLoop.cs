using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Waterspout.Diagnostics;
using Waterspout.Loop;
using Waterspout.Polling;

namespace Waterspout;

/// <summary>
/// An event loop: one thread that waits for descriptors, timers and callbacks, and runs their handlers. Streams belong to a loop, and
/// everything about them happens on its thread.
/// </summary>
/// <remarks>
/// <para>There are three ways to get one: <see cref="Default"/>, which runs on its own thread from its first use; an
/// <see cref="IOLoopGroup"/>; or <c>new IOLoop()</c>, which <see cref="Start"/> or <see cref="RunSync(Func{Task}, TimeSpan?)"/> runs on the
/// calling thread.</para>
/// <para>Threading: every member may be called from any thread. Awaits in code that runs on the loop resume on the loop. Code that runs on
/// the loop must not block: while it does, no stream of the loop makes progress.</para>
/// <para>Difference from Tornado: there is no <c>make_current</c>; a loop is current on the thread that runs it.</para>
/// </remarks>
public sealed partial class IOLoop : IDisposable
{
    // Theory of operation. The thread that runs the loop repeats a turn (RunTurn):
    //
    //        +--> callbacks that were waiting (not those that they add)
    //        |    timers that are due
    //        |    write buffers that were filled since the last time: one send for each stream
    //        |    wait: for events, a timer, or a wake-up (not at all if callbacks wait)
    //        +--- events, collected first, then dispatched to their handlers
    //
    // Reads complete inside the dispatch: the code that awaits one resumes immediately, on this thread, and what it writes is sent at the
    // end of the turn. Everything else that completes (closes, cancellations, calls from other threads) does so by a callback, so that no
    // user code ever runs inside another user's call.
    //
    // Another thread that adds a callback wakes the poller only if the loop may be waiting and has not been woken yet: see WakeIfWaiting.

    private static readonly DefaultLoop s_default = new();
    [ThreadStatic] private static IOLoop? t_current;

    private readonly IPoller _poller;
    private readonly RegistrationTable _registrations = new();
    private readonly CallbackQueue _callbacks = new();
    private readonly List<IFlushable> _unflushed = [];
    private readonly BusyPoll _busyPoll;
    private readonly Action<Exception>? _unhandled;
    private volatile int _threadId;
    private volatile bool _stopRequested;
    private volatile bool _isDisposed;
    private bool _isWaiting;
    private int _isWoken;

    /// <summary>Creates a loop that does not run yet.</summary>
    /// <param name="options">How the loop works. Copied; null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">A time in the options is negative.</exception>
    /// <exception cref="PlatformNotSupportedException">The system is not Linux.</exception>
    public IOLoop(IOLoopOptions? options = null)
    {
        Options = options is null ? new IOLoopOptions() : options with { };
        Options.Validate(nameof(options));
        _unhandled = Options.EffectiveUnhandledException;
        Logger = Options.LoggerFactory.CreateLogger("Waterspout");
        PeerErrors = new PeerErrors(this);
        SynchronizationContext = new IOLoopSynchronizationContext(this);
        _busyPoll = new BusyPoll(Options.BusyPoll);
        _stallTicks = Options.StallThreshold > TimeSpan.Zero ? Clock.ToStopwatchTicks(Options.StallThreshold) : long.MaxValue;
        _poller = PollerFactory.Create(Options.Poller);
        try
        {
            _clock = new Clock(Options.TimeProvider, this);
            Metrics.Add(this);
        }
        catch
        {
            // The user's time provider may throw.
            _poller.Dispose();
            throw;
        }
    }

    /// <summary>The loop that runs on this thread, or that this thread is starting; otherwise <see cref="Default"/>.</summary>
    public static IOLoop Current => t_current ?? Default;

    /// <summary>
    /// The loop of the process: created and started on a background thread at its first use, with the options given to
    /// <see cref="ConfigureDefault"/>. It is never disposed.
    /// </summary>
    /// <remarks>
    /// Streams and servers that are created off any loop and without naming one belong to it: for example, a server created before
    /// <see cref="RunSync(Func{Task}, TimeSpan?)"/> runs another loop. Create it inside that, or set the loops in its options.
    /// </remarks>
    public static IOLoop Default => s_default.Loop;

    /// <summary>True if the caller runs on this loop's thread.</summary>
    public bool IsCurrent => _threadId == Environment.CurrentManagedThreadId;

    /// <summary>True if the caller runs on any loop's thread.</summary>
    internal static bool IsAnyCurrent => t_current is not null;

    /// <summary>The name given in the options.</summary>
    public string Name => Options.Name;

    internal IOLoopOptions Options { get; }

    internal ILogger Logger { get; }

    internal IOLoopSynchronizationContext SynchronizationContext { get; }

    internal LoopCounters Counters { get; } = new();

    internal PeerErrors PeerErrors { get; }

    internal bool IsDisposed => _isDisposed;

    internal int WaitingCallbacks => _callbacks.Count;

    internal int TimerCount => _timers.Count;

    /// <summary>
    /// Sets the options of <see cref="Default"/>. Call it at the start of the program, before the first stream, server or call that uses
    /// the loop.
    /// </summary>
    /// <param name="options">Copied. Another call before the first use replaces them.</param>
    /// <exception cref="InvalidOperationException"><see cref="Default"/> has been used.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A time in the options is negative.</exception>
    public static void ConfigureDefault(IOLoopOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate(nameof(options));
        s_default.Configure(options);
    }

    /// <summary>Runs the loop on the calling thread until <see cref="Stop"/>.</summary>
    /// <remarks>
    /// If <see cref="Stop"/> was called before, it returns after one turn. The loop may be started again afterwards. Exceptions of
    /// callbacks do not end the run.
    /// </remarks>
    /// <exception cref="InvalidOperationException">The loop already runs, or the thread runs another loop.</exception>
    /// <exception cref="ObjectDisposedException">The loop has been disposed.</exception>
    public void Start()
    {
        if (!TryRunUntil(() => _stopRequested))
            throw new InvalidOperationException($"The loop '{Name}' already runs, on another thread.");
    }

    /// <summary>
    /// Makes <see cref="Start"/> return at the end of the current turn, and <see cref="RunSync(Func{Task}, TimeSpan?)"/> fail unless its
    /// task has completed. May be called from any thread.
    /// </summary>
    /// <remarks>
    /// Streams stay open, and continue when the loop is started again. If the loop does not run, the next run ends after one turn.
    /// </remarks>
    public void Stop()
    {
        _stopRequested = true;
        WakeIfWaiting();
    }

    /// <summary>
    /// Stops the loop, closes each of its streams that is still open (pending operations fail with <see cref="StreamClosedException"/>),
    /// runs the waiting callbacks, and frees the loop's resources. Servers stop listening on this loop. Pending calls from other threads
    /// complete, with an <see cref="ObjectDisposedException"/> if they have no other outcome.
    /// </summary>
    /// <remarks>
    /// Called on another thread it waits for the turn to end, and runs the callbacks, including close callbacks, on that thread; called on
    /// the loop, the loop ends after the turn. Timers no longer run. Later calls to a stream of the loop behave as on any closed stream,
    /// and its callbacks run on the thread pool. Disposing again only waits for a dispose that another thread has begun.
    /// </remarks>
    public void Dispose()
    {
        if (!_isDisposed) RequestDispose();
        if (IsCurrent) return;

        // Also where another thread is disposing it: the loop has ended when this returns.
        lock (_running)
        {
            if (!_isDisposed) DisposeCore();
        }
    }

    /// <summary>If a thread runs the loop, it disposes it at the end of its turn.</summary>
    internal void RequestDispose()
    {
        _disposeOnExit = true;
        Stop();
    }

    /// <summary>Creates a loop on its own background thread.</summary>
    internal static IOLoop StartOnThread(IOLoopOptions options)
    {
        IOLoop loop = new(options);
        Thread thread = new(loop.Start) { IsBackground = true, Name = options.Name };
        // Wait for it: if the loop were disposed before it has begun, its thread would throw, which would end the process.
        using ManualResetEventSlim started = new();
        loop.AddCallback(started.Set);
        thread.Start();
        started.Wait();
        return loop;
    }

    [Conditional("DEBUG")]
    internal void AssertIsCurrent() => Debug.Assert(IsCurrent, "Called off the loop's thread.");
}
