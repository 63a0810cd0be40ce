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

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (WeakReference, Thread) Compute(HandshakeWorkers workers)
    {
        Step step = new();
        workers.Add(step, isFirst: true);
        return (new WeakReference(step), step.Done.Task.GetAwaiter().GetResult());
    }

    private sealed class Step : IThreadPoolWorkItem
    {
        internal TaskCompletionSource<Thread> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Execute() => Done.SetResult(Thread.CurrentThread);
    }
}
