using Waterspout.Diagnostics;

namespace Waterspout.Loop;

/// <summary>A call that another thread makes on a loop, and whose outcome goes back to that thread's awaits.</summary>
internal sealed class ForwardedCall<T>(Func<ValueTask<T>> start) : ICaller
{
    // The awaits of the caller must not go on on the loop's thread.
    private readonly TaskCompletionSource<T> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenRegistration _registration;

    /// <summary>What the call was asked to do, in the words of who asked.</summary>
    public Delegate? Function { get; init; }

    internal Task<T> Result => _result.Task;

    /// <summary>Nobody has to look at the outcome. Else an error that nobody sees is reported as an unobserved exception.</summary>
    internal bool MayBeIgnored { get; init; }

    /// <summary>Before it is made: the call fails when its loop has ended before it has an outcome: what it waits for may never come then.</summary>
    internal void EndWith(IOLoop loop) => _registration = loop.Ended.UnsafeRegister(
        static (state, token) =>
        {
            (ForwardedCall<T> call, IOLoop loop) = ((ForwardedCall<T>, IOLoop))state!;
            call._result.TrySetException(new ObjectDisposedException(loop.Name, "The loop was disposed before the call had ended."));
            _ = call._result.Task.Exception; // whoever waits sees it; nobody has to
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
