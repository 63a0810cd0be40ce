using Waterspout.Diagnostics;

namespace Waterspout.Loop;

/// <summary>A call that another thread makes on a loop, and whose outcome is returned to that thread's awaits.</summary>
internal sealed class ForwardedCall<T>(Func<ValueTask<T>> start) : ICaller
{
    // The caller's awaits must not resume on the loop's thread.
    private readonly TaskCompletionSource<T> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenRegistration _registration;

    /// <summary>The function that the caller passed, for logs.</summary>
    public Delegate? Function { get; init; }

    internal Task<T> Result => _result.Task;

    /// <summary>The outcome need not be observed. Otherwise an unobserved error is reported as an unobserved exception.</summary>
    internal bool MayBeIgnored { get; init; }

    /// <summary>
    /// Called before <see cref="Run"/>: the call fails if its loop ends before it has an outcome, since what it waits for may then never
    /// come.
    /// </summary>
    internal void EndWith(IOLoop loop) => _registration = loop.Ended.UnsafeRegister(
        static (state, token) =>
        {
            (ForwardedCall<T> call, IOLoop loop) = ((ForwardedCall<T>, IOLoop))state!;
            call._result.TrySetException(new ObjectDisposedException(loop.Name, "The loop was disposed before the call had ended."));
            _ = call._result.Task.Exception; // waiters see it; it need not be observed
        },
        (this, loop));

    /// <summary>Makes the call, on the loop.</summary>
    internal async void Run()
    {
        try
        {
            _result.TrySetResult(await start());
        }
        catch (OperationCanceledException cancelled)
        {
            _result.TrySetCanceled(cancelled.CancellationToken);
        }
        catch (Exception error)
        {
            _result.TrySetException(error);
            if (MayBeIgnored) _ = _result.Task.Exception;
        }

        _registration.Unregister();
    }
}
