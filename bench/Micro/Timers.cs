using BenchmarkDotNet.Attributes;
using Waterspout.Loop;

namespace Waterspout.Bench.Micro;

/// <summary>
/// Timers while many others are pending at random times: the cost of an operation may grow at most with the logarithm of their number.
/// </summary>
public class Timers
{
    private const int Count = 10_000;

    private readonly IOLoop _loop = new();
    private readonly TimerQueue _queue = new();
    private readonly TimeSpan[] _delays = new TimeSpan[Count];

    /// <summary>The number of pending timers.</summary>
    [Params(0, 1_000, 100_000, 1_000_000)]
    public int Pending { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        Random random = new(1);
        TimeSpan NextDelay() => TimeSpan.FromSeconds(600 + (random.NextDouble() * 600));
        for (int i = 0; i < Count; i++) _delays[i] = NextDelay();
        _loop.RunSync(() =>
        {
            for (int i = 0; i < Pending; i++) _loop.CallLater(NextDelay(), static () => { });
            return Task.CompletedTask;
        });
        for (int i = 0; i < Math.Max(1, Pending); i++) _queue.Add(new LoopTimer(_loop, static () => { }, random.Next(1_000_000_000), 0));
    }

    [GlobalCleanup]
    public void CleanUp() => _loop.Dispose();

    /// <summary>Like a timeout that is nearly always cancelled.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public void Add_and_cancel() => _loop.RunSync(() =>
    {
        foreach (TimeSpan delay in _delays) _loop.CallLater(delay, static () => { }).Dispose();
        return Task.CompletedTask;
    });

    /// <summary>The soonest timer is removed and added again at a later time: the queue's part of a repeating timer.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public void Take_the_soonest_and_add_it_later()
    {
        for (int i = 0; i < Count; i++)
        {
            LoopTimer timer = _queue.First!;
            _queue.Remove(timer);
            timer.Deadline += _delays[i].Ticks / 10;
            _queue.Add(timer);
        }
    }

    /// <summary>A timer that is created, due at once, and run by the loop.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public void Add_and_fire() => _loop.RunSync(() =>
    {
        TaskCompletionSource done = new();
        int left = Count;
        Action callback = () =>
        {
            if (--left == 0) done.SetResult();
        };
        for (int i = 0; i < Count; i++) _loop.CallLater(TimeSpan.Zero, callback);
        return done.Task;
    });
}
