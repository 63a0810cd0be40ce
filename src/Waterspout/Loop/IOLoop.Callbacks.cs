using System.Runtime.CompilerServices;
using Waterspout.Diagnostics;
using Waterspout.Loop;

namespace Waterspout;

public sealed partial class IOLoop
{
    private static readonly ExecutionContext? s_noContext = CaptureOfNewThread();

    /// <summary>Runs <paramref name="callback"/> on the loop, in its next turn. May be called from any thread.</summary>
    /// <remarks>
    /// Callbacks that one thread adds run in the order in which it added them. One that throws is logged and reported (see
    /// <see cref="IOLoopOptions.UnhandledException"/>), and hurts nothing else. The execution context does not flow into it. Those that wait
    /// when the loop is disposed are run by that, on the thread that disposes it.
    /// </remarks>
    /// <exception cref="ObjectDisposedException">The loop has been disposed.</exception>
    public void AddCallback(Action callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        Post(callback, static callback => callback());
    }

    /// <summary>Runs <paramref name="action"/> on the loop: at once when called there, else in the loop's next turn.</summary>
    /// <returns>
    /// A task that ends as the action's does. Its awaiters off the loop do not run on the loop. Off the loop it also ends, with an
    /// <see cref="ObjectDisposedException"/>, when the loop is disposed before.
    /// </returns>
    /// <exception cref="ObjectDisposedException">The loop has been disposed.</exception>
    public Task InvokeAsync(Func<Task> action)
    {
        ArgumentNullException.ThrowIfNull(action);
        return InvokeAsync(async () => { await action(); return true; }, action);
    }

    /// <inheritdoc cref="InvokeAsync(Func{Task})"/>
    public Task<T> InvokeAsync<T>(Func<Task<T>> action)
    {
        ArgumentNullException.ThrowIfNull(action);
        return InvokeAsync(action, action);
    }

    private Task<T> InvokeAsync<T>(Func<Task<T>> action, Delegate function)
    {
        if (IsCurrent) return action();
        ForwardedCall<T> call = new(() => new ValueTask<T>(action())) { Function = function };
        call.EndWith(this);
        Post(call, static call => call.Run());
        return call.Result;
    }

    /// <summary>Queues a call for the next turn. Throws when the loop has ended.</summary>
    internal void Post<T>(T state, Action<T> function) => ObjectDisposedException.ThrowIf(!TryPost(state, function), this);

    /// <summary>Queues a call for the next turn. False when the loop has ended.</summary>
    internal bool TryPost<T>(T state, Action<T> function) => TryPost(LoopCallback.Of(state, function));

    /// <summary>Queues what has to run in any case: where the loop has ended, on the thread pool. There an exception would end the process.</summary>
    internal void PostOrPool<T>(T state, Action<T> function) => PostOrPool(LoopCallback.Of(state, function));

    internal void PostOrPool(LoopCallback callback)
    {
        if (!TryPost(callback))
            ThreadPool.UnsafeQueueUserWorkItem(static call => call.Loop.TryRun(call.Callback), (Loop: this, Callback: callback), preferLocal: false);
    }

    private bool TryPost(LoopCallback callback)
    {
        if (!_callbacks.TryAdd(callback)) return false;
        if (!IsCurrent) WakeIfWaiting();
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void RunCallbacks()
    {
        if (_callbacks.IsEmpty) return;
        long begun = Clock.Timestamp();
        long started = begun;
        foreach (LoopCallback callback in _callbacks.TakeAll())
        {
            Run(callback);
            started = CheckForStall(started);
        }

        _current = null;
        // Now, and not when the next ones come: that may be never, and what ran must not be held until then.
        _callbacks.ForgetTaken();
        Counters.BusyTicks += started - begun;
    }

    private void Run(LoopCallback callback)
    {
        _current = callback.Subject;
        TryRun(callback);
        ForgetAsyncLocals();
    }

    private void TryRun(LoopCallback callback)
    {
        try
        {
            callback.Invoke();
        }
        catch (ObjectDisposedException) when (_isDisposed)
        {
            // What runs at the end of the loop may ask something of it, and is refused.
        }
        catch (Exception error)
        {
            Log.CallbackFailed(Logger, error, Name);
            ReportUnhandled(error);
        }
    }

    /// <summary>No code of the user's has handled this, and it has its line in the log.</summary>
    internal void ReportUnhandled(Exception error) => UnhandledErrors.Report(_unhandled, error);

    /// <summary>A callback sees no AsyncLocals, of whoever asked for it or of the one before.</summary>
    internal static void ForgetAsyncLocals()
    {
        if (ExecutionContext.Capture() != s_noContext && s_noContext is not null) ExecutionContext.Restore(s_noContext);
    }

    // The only way to the default context is a thread on which nothing has run yet.
    private static ExecutionContext? CaptureOfNewThread()
    {
        ExecutionContext? context = null;
        Thread thread = new(() => context = ExecutionContext.Capture());
        thread.UnsafeStart();
        thread.Join();
        return context;
    }
}
