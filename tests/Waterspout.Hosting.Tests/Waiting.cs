namespace Waterspout.Hosting.Tests;

internal static class Waiting
{
    /// <summary>Completes when the token is cancelled.</summary>
    internal static Task WhenCancelled(this CancellationToken token)
    {
        TaskCompletionSource cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        token.Register(cancelled.SetResult);
        return cancelled.Task.WaitAsync(TestHost.Limit, CancellationToken.None);
    }
}
