using Waterspout.Loop;

namespace Waterspout.Tests;

/// <summary>Connections whose code runs on the thread pool share its threads, and none of them waits for another.</summary>
public sealed class ResumeQueueTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    [Fact]
    public void One_that_blocks_holds_up_no_other()
    {
        for (int round = 0; round < 100; round++)
        {
            ResumeQueue queue = new();
            using ManualResetEventSlim release = new();
            using CountdownEvent others = new(5);
            using CountdownEvent all = new(6);
            queue.Add(new Work(() =>
            {
                release.Wait();
                all.Signal();
            }));
            for (int i = 0; i < others.InitialCount; i++)
            {
                queue.Add(new Work(() =>
                {
                    others.Signal();
                    all.Signal();
                }));
            }

            bool haveRun = others.Wait(s_limit);
            release.Set();
            Assert.True(haveRun && all.Wait(s_limit));
        }
    }

    [Fact]
    public void Each_runs_once_however_many_threads_add()
    {
        const int Threads = 4, Each = 5000;
        ResumeQueue queue = new();
        int[] runs = new int[Threads * Each];
        using CountdownEvent all = new(runs.Length);
        Parallel.For(0, Threads, thread =>
        {
            for (int i = thread * Each; i < (thread + 1) * Each; i++)
            {
                int number = i;
                queue.Add(new Work(() =>
                {
                    Interlocked.Increment(ref runs[number]);
                    all.Signal();
                }));
            }
        });
        Assert.True(all.Wait(s_limit));
        Assert.All(runs, static run => Assert.Equal(1, run));
    }

    private sealed class Work(Action action) : IThreadPoolWorkItem
    {
        public void Execute() => action();
    }
}
