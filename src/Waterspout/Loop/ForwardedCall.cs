using Waterspout.Diagnostics;

namespace Waterspout.Loop;

/// <summary>A call that another thread makes on a loop, and whose outcome is that thread's to await.</summary>
/// <param name="state">What the call is made with. Held here, so that the function need capture nothing.</param>
/// <param name="start">Makes the call, on the loop.</param>
internal class ForwardedCall<TState, T>(TState state, Func<TState, ValueTask<T>> start)
    // The caller must not resume on the loop's thread.
    : TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously), ICaller
{
    private CancellationTokenRegistration _registration;

    /// <summary>What the call is named by in a log: the function that the caller gave.</summary>
    public Delegate Function { get; init; } = start;

    /// <summary>The outcome may be ignored. Otherwise an error that is never observed is reported as an unobserved exception.</summary>
    internal bool MayBeIgnored { get; init; }

    /// <summary>
    /// Before the call is made: it fails when its loop ends before it has an outcome, since what it waits for may never come then.
    /// </summary>
    internal void EndWith(IOLoop loop) => _registration = loop.Ended.UnsafeRegister(
        static (state, token) =>
        {
            (ForwardedCall<TState, T> call, IOLoop loop) = ((ForwardedCall<TState, T>, IOLoop))state!;
            call.TrySetException(new ObjectDisposedException(loop.Name, "The loop was disposed before the call had ended."));
            _ = call.Task.Exception; // observed: the caller need not be
        },
        (this, loop));

    /// <summary>Makes the call, on the loop.</summary>
    internal async void Run()
    {
        try
        {
            T result = await start(state);
            OnEnded();
            TrySetResult(result);
        }
        catch (OperationCanceledException cancelled)
        {
            OnEnded();
            TrySetCanceled(cancelled.CancellationToken);
        }
        catch (Exception error)
        {
            OnEnded();
            TrySetException(error);
            if (MayBeIgnored) _ = Task.Exception;
        }

        _registration.Unregister();
    }

    /// <summary>The call has ended, on the loop, and its caller will be notified.</summary>
    private protected virtual void OnEnded()
    {
    }
}
