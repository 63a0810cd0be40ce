namespace Waterspout.Loop;

/// <summary>A call that another thread makes on a loop, and whose outcome goes back to that thread's awaits.</summary>
internal sealed class ForwardedCall<T>(Func<ValueTask<T>> start)
{
    // The awaits of the caller must not go on on the loop's thread.
    private readonly TaskCompletionSource<T> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal static SendOrPostCallback Run { get; } = static call => ((ForwardedCall<T>)call!).RunAsync();

    internal Task<T> Result => _result.Task;

    private async void RunAsync()
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
            // A write whose outcome nobody awaits is legal, and must not surface as an unobserved exception.
            _ = _result.Task.Exception;
        }
    }
}
