namespace Waterspout.Diagnostics;

/// <summary>Tasks whose failure somebody else reports.</summary>
internal static class TaskFailures
{
    /// <summary>Looks at the task's exception when it has one, so that it does not surface as unobserved.</summary>
    /// <remarks>Inline: a call that wakes a thread of the pool for each connection costs more than all else about its end.</remarks>
    internal static void IgnoreFailure(this Task task) =>
        task.ContinueWith(static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
}
