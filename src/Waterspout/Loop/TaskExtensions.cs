namespace Waterspout.Loop;

internal static class TaskExtensions
{
    /// <summary>Nobody waits for the task any more: its error must not surface as an unobserved exception.</summary>
    internal static void Ignore(this Task task)
    {
        if (task.IsCompletedSuccessfully) return;
        task.ContinueWith(
            static task => _ = task.Exception,
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }
}
