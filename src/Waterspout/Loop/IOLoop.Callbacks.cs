using System.Runtime.CompilerServices;
using Waterspout.Diagnostics;
using Waterspout.Loop;

namespace Waterspout;

public sealed partial class IOLoop
{
    private static readonly ExecutionContext? s_noContext = CaptureOfNewThread();

    /// <summary>Runs <paramref name="callback"/> on the loop, in its next turn. May be called from any thread.</summary>
    /// <remarks>
    /// Callbacks added by one thread run in the order in which they were added. An exception is logged and reported (see
    /// <see cref="IOLoopOptions.UnhandledException"/>), and affects nothing else. The execution context does not flow into the callback.
    /// Callbacks that wait when the loop is disposed are run by <see cref="Dispose"/>, on the thread that calls it.
    /// </remarks>
    /// <exception cref="ObjectDisposedException">The loop has been disposed.</exception>
    public void AddCallback(Action callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        Post(callback, static callback => callback());
    }

    /// <summary>
    /// Runs <paramref name="action"/> on the loop: at once if called there, otherwise in the loop's next turn. May be called from any
    /// thread.
    /// </summary>
    /// <returns>
    /// A task that completes as the action's does. Its awaiters off the loop do not run on the loop. Off the loop it also completes, with
    /// an <see cref="ObjectDisposedException"/>, if the loop is disposed first.
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

    /// <summary>
    /// <c>await loop.SwitchTo()</c> moves the code onto the loop: what follows runs there, and continues there after each await, until it
    /// awaits something with <c>ConfigureAwait(false)</c> or switches to another loop. May be called from any thread.
    /// </summary>
    /// <remarks>
    /// On the loop it continues at once. It takes one crossing, about ten microseconds, after which calls to the loop's streams act at once
    /// and their awaits resume inline. What follows must not block. The caller of an async method that switches does not move with it.
    /// Nothing can be cancelled, and there is no way back but to await something else or to return. Tornado has no such call.
    /// </remarks>
    /// <exception cref="ObjectDisposedException">Thrown by the await: the loop has been disposed, before or meanwhile.</exception>
    public LoopAwaitable SwitchTo() => new(this);

    private Task<T> InvokeAsync<T>(Func<Task<T>> action, Delegate function)
    {
        if (IsCurrent) return action();
        ForwardedCall<Func<Task<T>>, T> call = new(action, static action => new ValueTask<T>(action())) { Function = function };
        call.EndWith(this);
        Post(call, static call => call.Run());
        return call.Task;
    }

    /// <summary>
    /// Makes a call at once on the loop, and from another thread queues it for the next turn. False when the loop has ended.
    /// </summary>
    internal bool TryInvoke<T>(T state, Action<T> function)
    {
        if (!IsCurrent) return TryPost(state, function);
        function(state);
        return true;
    }

    /// <summary>Queues a call for the next turn. Throws if the loop has ended.</summary>
    internal void Post<T>(T state, Action<T> function) => ObjectDisposedException.ThrowIf(!TryPost(state, function), this);

    /// <summary>Queues a call for the next turn. False if the loop has ended.</summary>
    internal bool TryPost<T>(T state, Action<T> function) => TryPost(LoopCallback.Of(state, function));

    /// <summary>
    /// Queues a call that has to run in any case: on the thread pool if the loop has ended. Its exceptions are caught, since on the pool
    /// they would end the process.
    /// </summary>
    internal void PostOrPool<T>(T state, Action<T> function) => PostOrPool(LoopCallback.Of(state, function));

    internal void PostOrPool(LoopCallback callback)
    {
        if (!TryPost(callback))
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                static call => call.Loop.TryRun(call.Callback), (Loop: this, Callback: callback), preferLocal: false);
        }
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
        // Now, not when the next ones come: that may be never, and what ran must not be kept alive until then.
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
            // Code that runs at the end of the loop may call it, and is refused.
        }
        catch (Exception error)
        {
            Log.CallbackFailed(Logger, error, Name);
            ReportUnhandled(error);
        }
    }

    /// <summary>Reports an exception that no user code has handled, after its line in the log.</summary>
    internal void ReportUnhandled(Exception error) => UnhandledErrors.Report(_unhandled, error);

    /// <summary>A callback sees no AsyncLocals, neither of the code that queued it nor of the callback before.</summary>
    internal static void ForgetAsyncLocals()
    {
        if (ExecutionContext.Capture() != s_noContext && s_noContext is not null) ExecutionContext.Restore(s_noContext);
    }

    // The only way to get the default context is a thread on which nothing has run yet.
    private static ExecutionContext? CaptureOfNewThread()
    {
        ExecutionContext? context = null;
        Thread thread = new(() => context = ExecutionContext.Capture());
        thread.UnsafeStart();
        thread.Join();
        return context;
    }
}
