namespace Waterspout.Diagnostics;

/// <summary>Tasks whose failure is reported elsewhere.</summary>
internal static class TaskFailures
{
    /// <summary>Reads the exception of a failed task, so that it does not surface as unobserved.</summary>
    /// <remarks>Inline: waking a pool thread for each connection costs more than everything else at its end.</remarks>
    internal static void IgnoreFailure(this Task task) => task.ContinueWith(
        static task => _ = task.Exception,
        CancellationToken.None,
        TaskContinuationOptions.ExecuteSynchronously,
        TaskScheduler.Default);
}
