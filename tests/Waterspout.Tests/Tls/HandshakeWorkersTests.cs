using System.Runtime.CompilerServices;
using Waterspout.Tls;

namespace Waterspout.Tests.Tls;

public sealed class HandshakeWorkersTests
{
    [Fact]
    public void A_step_is_released_while_the_thread_that_has_computed_it_waits_for_another()
    {
        HandshakeWorkers workers = new(1, 2);
        (WeakReference step, Thread thread) = Compute(workers);
        while (step.IsAlive)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Assert.True(thread.IsAlive, "The step was held as long as the thread lasted.");
        }
    }

    [Fact]
    public async Task Blocked_steps_hold_up_others_only_when_they_have_all_the_threads()
    {
        HandshakeWorkers workers = new(1, 3);
        using ManualResetEventSlim end = new();
        Step[] blocked = [.. Enumerable.Range(0, 3).Select(_ => new Step(end.Wait))];
        workers.Add(blocked[0], isFirst: true);
        workers.Add(blocked[1], isFirst: true);
        await Task.WhenAll(blocked[0].Begun.Task, blocked[1].Begun.Task);
        await ComputeAsync(workers);

        workers.Add(blocked[2], isFirst: true);
        await blocked[2].Begun.Task;
        Task waiting = ComputeAsync(workers);
        Assert.False(waiting.IsCompleted);
        end.Set();
        await waiting;
        // Nothing is left of the blocked ones: the next step finds a thread at once.
        await Task.WhenAll(blocked.Select(step => step.Done.Task));
        await ComputeAsync(workers);
    }

    [Fact]
    public async Task Every_step_of_a_burst_from_several_threads_is_computed_once()
    {
        HandshakeWorkers workers = new(2, 4);
        for (int round = 0; round < 20; round++)
        {
            Step[] steps = [.. Enumerable.Range(0, 200).Select(_ => new Step())];
            Parallel.ForEach(steps, step => workers.Add(step, isFirst: step.GetHashCode() % 2 == 0));
            await Task.WhenAll(steps.Select(step => step.Done.Task));
        }
    }

    [Fact]
    public async Task Every_thread_is_idle_after_a_burst_and_the_one_that_watched_too()
    {
        HandshakeWorkers workers = new(1, 3);
        for (int round = 0; round < 3; round++)
        {
            Step[] steps = [.. Enumerable.Range(0, 20).Select(_ => new Step())];
            foreach (Step step in steps) workers.Add(step, isFirst: true);
            await Task.WhenAll(steps.Select(step => step.Done.Task));
            while (workers.Threads is var (computing, idle, all) && (computing, idle) != (0, all))
            {
                Assert.InRange(computing, 0, all);
                Assert.InRange(idle, 0, all);
                await Task.Yield();
            }
        }
    }

    private static Task ComputeAsync(HandshakeWorkers workers)
    {
        Step step = new();
        workers.Add(step, isFirst: true);
        return step.Done.Task;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (WeakReference, Thread) Compute(HandshakeWorkers workers)
    {
        Step step = new();
        workers.Add(step, isFirst: true);
        return (new WeakReference(step), step.Done.Task.GetAwaiter().GetResult());
    }

    private sealed class Step(Action? work = null) : IThreadPoolWorkItem
    {
        internal TaskCompletionSource Begun { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal TaskCompletionSource<Thread> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Execute()
        {
            Begun.SetResult();
            work?.Invoke();
            Done.SetResult(Thread.CurrentThread);
        }
    }
}
