using Waterspout.Diagnostics;
using Waterspout.Loop;

namespace Waterspout;

// The loop as the main function of a program, or of a test: it runs until a task has completed.
public sealed partial class IOLoop
{
    /// <summary>Runs the loop on the calling thread until the task that <paramref name="main"/> returns has completed.</summary>
    /// <param name="main">Called on the loop.</param>
    /// <param name="timeout">How long that may take; null or <see cref="Timeout.InfiniteTimeSpan"/> for no limit.</param>
    /// <remarks>
    /// If another thread already runs the loop, <paramref name="main"/> runs there and the caller waits; if that thread leaves the loop
    /// first, without a stop, the caller runs the loop itself. If this throws because of the time limit or a stop, what
    /// <paramref name="main"/> started continues, and the later outcome of its task is ignored. The time limit needs the loop: it does not
    /// end a callback that blocks, which the log names (see <see cref="IOLoopOptions.StallThreshold"/>).
    /// </remarks>
    /// <exception cref="TimeoutException">The time limit expired.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time limit is negative. Nothing was called.</exception>
    /// <exception cref="InvalidOperationException">
    /// The loop was stopped before the task had completed. Or this was called on the loop itself, or on a thread that runs another loop.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The loop has been disposed, before or meanwhile.</exception>
    public void RunSync(Func<Task> main, TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(main);
        RunSync(async () => { await main(); return true; }, timeout, main);
    }

    /// <summary>
    /// Runs the loop on the calling thread until the task that <paramref name="main"/> returns has completed, and returns its result.
    /// </summary>
    /// <inheritdoc cref="RunSync(Func{Task}, TimeSpan?)"/>
    public T RunSync<T>(Func<Task<T>> main, TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(main);
        return RunSync(main, timeout, main);
    }

    private T RunSync<T>(Func<Task<T>> main, TimeSpan? timeout, Delegate function)
    {
        TimeLimit.CheckNotNegative(timeout, nameof(timeout));
        if (IsCurrent) throw new InvalidOperationException("RunSync was called on the loop itself, which would deadlock.");
        bool isAbandoned = false;
        Task<T> task = InvokeAsync(() => isAbandoned ? Task.FromCanceled<T>(new CancellationToken(canceled: true)) : main(), function);
        try
        {
            if (!RunUntilCompleted(task, timeout)) throw new TimeoutException($"The operation did not complete within {timeout}.");
            if (!task.IsCompleted)
                throw new InvalidOperationException($"The loop '{Name}' was stopped before the operation had completed.");
            return task.GetAwaiter().GetResult();
        }
        finally
        {
            isAbandoned = true;
            if (!task.IsCompletedSuccessfully) task.IgnoreFailure();
        }
    }

    /// <summary>
    /// Runs the loop, or waits while another thread does. False if the time limit expired; after a stop the task may be incomplete too.
    /// </summary>
    private bool RunUntilCompleted(Task task, TimeSpan? timeout)
    {
        bool isTimeUp = false;
        using IDisposable? limit = timeout is { } time ? CallLater(time, () => isTimeUp = true) : null;
        long begun = Clock.Timestamp();
        // The completion has to end the wait too: main may complete on another thread.
        task.ContinueWith(static (_, loop) => ((IOLoop)loop!).TryPost(loop, static _ => { }), this,
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        while (!TryRunUntil(() => task.IsCompleted || isTimeUp || _stopRequested))
        {
            if (_run is { } run)
            {
                // The task first: if several have completed, it is the one that counts.
                if (Task.WaitAny([task, run.Task], TimeLimit.Rest(timeout, begun)) < 0) return false;
                if (task.IsCompleted || run.Task.Result) return true;
            }
            else
            {
                // A run begins or ends, or the loop is being disposed.
                if (TimeLimit.Rest(timeout, begun) == TimeSpan.Zero) return false;
                Thread.Yield();
            }
        }

        return task.IsCompleted || !isTimeUp;
    }
}
