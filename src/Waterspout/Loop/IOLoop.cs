using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Waterspout.Diagnostics;
using Waterspout.Loop;
using Waterspout.Polling;

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
/// <para>Difference from Tornado: there is no <c>make_current</c>; a loop is current on the thread that runs it.</para>
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

    private static readonly DefaultLoop s_default = new();
    [ThreadStatic] private static IOLoop? t_current;

    private readonly IPoller _poller;
    private readonly RegistrationTable _registrations = new();
    private readonly CallbackQueue _callbacks = new();
    private readonly List<BaseIOStream> _unflushed = [];
    private readonly BusyPoll _busyPoll;
    private readonly Action<Exception>? _unhandled;
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
            // A time provider of the user's may fail.
            _poller.Dispose();
            throw;
        }
    }

    /// <summary>The loop that runs on this thread, or that this thread is starting; else <see cref="Default"/>.</summary>
    public static IOLoop Current => t_current ?? Default;

    /// <summary>
    /// The loop of the process: made and started, on a background thread, at the first use, with the options given to <see cref="ConfigureDefault"/>.
    /// It is never disposed.
    /// </summary>
    /// <remarks>
    /// Streams and servers that are made off every loop without naming one belong to it: a server that is made before
    /// <see cref="RunSync(Func{Task}, TimeSpan?)"/> runs another loop, for example. Make it within that, or give it its loops by its options.
    /// </remarks>
    public static IOLoop Default => s_default.Loop;

    /// <summary>True when the caller runs on this loop's thread.</summary>
    public bool IsCurrent => _threadId == Environment.CurrentManagedThreadId;

    /// <summary>True when the caller runs on some loop's thread.</summary>
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

    /// <summary>Says how <see cref="Default"/> works. At the start of the program: before the first stream, server or call that uses it.</summary>
    /// <param name="options">Copied. A call before the first use replaces the options of the call before.</param>
    /// <exception cref="InvalidOperationException"><see cref="Default"/> has been used.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A time in the options is negative.</exception>
    public static void ConfigureDefault(IOLoopOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate(nameof(options));
        s_default.Configure(options);
    }

    /// <summary>Runs the loop on the calling thread until <see cref="Stop"/>.</summary>
    /// <remarks>A stop that came before makes it return after one turn. It may be started again afterwards.</remarks>
    /// <exception cref="InvalidOperationException">The loop runs already, or the thread runs another loop.</exception>
    /// <exception cref="ObjectDisposedException">The loop has been disposed.</exception>
    public void Start()
    {
        if (!TryRunUntil(() => _stopRequested)) throw new InvalidOperationException($"The loop '{Name}' runs already, on another thread.");
    }

    /// <summary>
    /// Makes <see cref="Start"/> return at the end of the current turn, and <see cref="RunSync(Func{Task}, TimeSpan?)"/> fail, unless its task has
    /// ended. May be called from any thread.
    /// </summary>
    /// <remarks>Streams stay open, and go on when the loop is started again. Where the loop does not run, the next run ends after one turn.</remarks>
    public void Stop()
    {
        _stopRequested = true;
        WakeIfWaiting();
    }

    /// <summary>Runs the loop on the calling thread until the task that <paramref name="main"/> returns has ended.</summary>
    /// <param name="main">Called on the loop.</param>
    /// <param name="timeout">How long that may take; without limit when null or <see cref="Timeout.InfiniteTimeSpan"/>.</param>
    /// <remarks>
    /// Where another thread runs the loop already, the caller waits while <paramref name="main"/> runs there, and runs the loop itself if that thread
    /// leaves it before, without a stop. When this throws because of the time or a
    /// stop, what <paramref name="main"/> started is left as it is, and how its task ends later is nobody's concern. The time limit needs the loop: it does not end a
    /// callback that blocks, which the log names (see <see cref="IOLoopOptions.StallThreshold"/>).
    /// </remarks>
    /// <exception cref="TimeoutException">The time was up.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative. Nothing was called.</exception>
    /// <exception cref="InvalidOperationException">
    /// The loop was stopped before the task had ended. Or this was called on the loop itself, or on a thread that runs another loop.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The loop has been disposed, before or meanwhile.</exception>
    public void RunSync(Func<Task> main, TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(main);
        RunSync(async () => { await main(); return true; }, timeout, main);
    }

    /// <summary>Runs the loop on the calling thread until the task that <paramref name="main"/> returns has ended, and returns its result.</summary>
    /// <inheritdoc cref="RunSync(Func{Task}, TimeSpan?)"/>
    public T RunSync<T>(Func<Task<T>> main, TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(main);
        return RunSync(main, timeout, main);
    }

    private T RunSync<T>(Func<Task<T>> main, TimeSpan? timeout, Delegate function)
    {
        TimeLimit.CheckNotNegative(timeout, nameof(timeout));
        if (IsCurrent) throw new InvalidOperationException("RunSync was called on the loop itself, which would wait for itself for ever.");
        bool isAbandoned = false;
        Task<T> task = InvokeAsync(() => isAbandoned ? Task.FromCanceled<T>(new CancellationToken(canceled: true)) : main(), function);
        try
        {
            if (!RunUntilCompleted(task, timeout)) throw new TimeoutException($"The operation did not complete within {timeout}.");
            if (!task.IsCompleted) throw new InvalidOperationException($"The loop '{Name}' was stopped before the operation had completed.");
            return task.GetAwaiter().GetResult();
        }
        finally
        {
            isAbandoned = true;
            if (!task.IsCompletedSuccessfully) task.IgnoreFailure();
        }
    }

    /// <summary>
    /// Stops the loop, closes every stream of it that is still open (pending operations fail with <see cref="StreamClosedException"/>), runs the
    /// callbacks that wait, and frees what the loop holds. Servers listen no longer where this loop accepted. Calls of other threads that wait for an outcome get one:
    /// <see cref="ObjectDisposedException"/> where there is no other.
    /// </summary>
    /// <remarks>
    /// Called on another thread it waits for the turn to end, and runs the callbacks, those of closes among them, on that thread; called on the loop, the
    /// loop ends after the turn. Timers do not run any more. What is asked of a stream of the loop afterwards is answered as of any closed stream, and
    /// callbacks about it run on the thread pool. Disposing again does nothing.
    /// </remarks>
    public void Dispose()
    {
        if (_isDisposed) return;
        RequestDispose();
        if (IsCurrent) return;

        lock (_running)
        {
            if (_isDisposed) return;
            DisposeCore();
        }
    }

    /// <summary>Where a thread runs the loop, that disposes it at the end of its turn.</summary>
    internal void RequestDispose()
    {
        _disposeOnExit = true;
        Stop();
    }

    /// <summary>Runs the loop, or waits while another thread does. False when the time was up; the task may also be left over by a stop.</summary>
    private bool RunUntilCompleted(Task task, TimeSpan? timeout)
    {
        bool isTimeUp = false;
        using IDisposable? limit = timeout is { } time ? CallLater(time, () => isTimeUp = true) : null;
        long begun = Clock.Timestamp();
        // The completion has to end the wait as well: main may end on another thread.
        task.ContinueWith(static (_, loop) => ((IOLoop)loop!).TryPost(loop, static _ => { }), this,
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        while (!TryRunUntil(() => task.IsCompleted || isTimeUp || _stopRequested))
        {
            if (_run is { } run)
            {
                // The task first: of several that have ended, that is the one which counts.
                if (Task.WaitAny([task, run.Task], TimeLimit.Rest(timeout, begun)) < 0) return false;
                if (task.IsCompleted || run.Task.Result) return true;
            }
            else
            {
                // A run begins or ends, or the loop is being disposed.
                if (TimeLimit.Rest(timeout, begun) == TimeSpan.Zero) return false;
                Thread.Yield();
            }
        }

        return task.IsCompleted || !isTimeUp;
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
