using System.Threading.Tasks.Sources;
using Waterspout.Loop;

namespace Waterspout.Duplex;

/// <summary>The wait of one read or flush. Used again for the next one, once its outcome has been taken.</summary>
/// <remarks>
/// Begun and completed under the lock of its half. Awaiters resume by .NET's rules, on the captured context or the thread pool, and never
/// within the call that completes the wait; the exception is the code that runs for an event, which completes a read as its last act. A
/// context of the user's may run what is posted to it at once, and a task scheduler too. So they are called from the thread pool
/// (<see cref="AwaiterContext"/>), where no lock is held; the loop's own context only queues.
/// </remarks>
internal sealed class Waiter<T>(IConnectionLoop loop, Action<Waiter<T>, Exception> cancel) : IValueTaskSource<T>
{
    private ManualResetValueTaskSourceCore<T> _core;
    private CancellationTokenRegistration _cancellation;

    /// <summary>Its outcome has not been taken yet.</summary>
    internal bool IsInUse { get; private set; }

    /// <summary>
    /// The work for it is better done on the loop's thread: the awaiter is there, or a thread is blocked, which the thread pool could be
    /// too short of threads to release.
    /// </summary>
    internal bool PrefersLoop { get; private set; }

    internal ValueTask<T> Task => new(this, _core.Version);

    internal void Begin(bool isBlocking, CancellationToken cancellationToken)
    {
        IsInUse = true;
        PrefersLoop = isBlocking;
        _core.RunContinuationsAsynchronously = !isBlocking;
        if (cancellationToken.CanBeCanceled)
        {
            // Runs at once if the token has been cancelled meanwhile: the lock may be entered again.
            _cancellation = cancellationToken.UnsafeRegister(
                static (waiter, token) => ((Waiter<T>)waiter!).Cancel(new OperationCanceledException(token)), this);
        }
    }

    /// <summary>Ends the wait with an error, if it has not ended. Its half decides.</summary>
    internal void Cancel(Exception error) => cancel(this, error);

    internal void Complete(T result) => _core.SetResult(result);

    /// <summary>Completes the wait, and runs the awaiter before it returns, unless that has a context of its own.</summary>
    internal void CompleteInline(T result)
    {
        _core.RunContinuationsAsynchronously = false;
        _core.SetResult(result);
    }

    internal void Fail(Exception error) => _core.SetException(error);

    /// <summary>Blocks the thread until the wait has ended. It was begun for that.</summary>
    /// <param name="timeout">In milliseconds; -1 for no limit.</param>
    internal T Block(int timeout)
    {
        using ManualResetEventSlim done = new();
        short version = _core.Version;
        _core.OnCompleted(static done => ((ManualResetEventSlim)done!).Set(), done, version, ValueTaskSourceOnCompletedFlags.None);
        if (!done.Wait(timeout))
        {
            Cancel(new IOException($"The operation did not complete within {timeout} ms.", new TimeoutException()));
            done.Wait();
        }

        return GetResult(version);
    }

    public T GetResult(short token)
    {
        // With a stale token this throws, and the wait belongs to another call.
        bool isOver = token == _core.Version && _core.GetStatus(token) != ValueTaskSourceStatus.Pending;
        try
        {
            return _core.GetResult(token);
        }
        finally
        {
            if (isOver) Free();
        }
    }

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        if (loop.IsHome) PrefersLoop = true;
        if ((flags & ValueTaskSourceOnCompletedFlags.UseSchedulingContext) != 0 && AwaiterContext.Capture(continuation, state) is { } context)
        {
            (continuation, state) = (AwaiterContext.Resume, context);
            flags &= ~ValueTaskSourceOnCompletedFlags.UseSchedulingContext;
        }

        _core.OnCompleted(continuation, state, token, flags);
    }

    private void Free()
    {
        // Waits for a cancellation on another thread, which finds nothing pending. After that the next wait may begin.
        _cancellation.Dispose();
        _cancellation = default;
        _core.Reset();
        IsInUse = false;
    }
}
