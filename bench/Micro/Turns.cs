using BenchmarkDotNet.Attributes;

namespace Waterspout.Bench.Micro;

/// <summary>Turns of a loop, and calls that come from other threads.</summary>
public class Turns : StreamBenchmark
{
    private readonly byte[] _line = [.. Enumerable.Repeat((byte)'x', 63), (byte)'\n'];
    private IOLoop _other = null!;
    private IOLoopGroup _group = null!;

    /// <summary>A callback that adds the next one: each has its own turn.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public void Turn_with_one_callback() => Loop.RunSync(() =>
    {
        TaskCompletionSource done = new();
        int left = Count;
        Action? again = null;
        again = () =>
        {
            if (--left == 0) done.SetResult();
            else Loop.AddCallback(again!);
        };
        Loop.AddCallback(again);
        return done.Task;
    });

    /// <summary>A line and its echo: two writes, two reads, two turns.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public void Round_trip_of_a_line() => Loop.RunSync(async () =>
    {
        Task answering = AnswerAsync();
        for (int i = 0; i < Count; i++)
        {
            _ = Near.WriteAsync(_line.AsSpan());
            Consumer.Consume(await Near.ReadUntilAsync("\n"u8, static line => line.Length));
        }

        await answering;
    });

    /// <summary>Many callbacks from another thread; the loop wakes once for all that are queued.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public void Callbacks_from_another_thread()
    {
        using ManualResetEventSlim done = new();
        int left = Count;
        Action callback = () =>
        {
            if (--left == 0) done.Set();
        };
        for (int i = 0; i < Count; i++) _other.AddCallback(callback);
        done.Wait();
    }

    /// <summary>Each call is awaited before the next: to the loop, and back to the thread pool.</summary>
    [Benchmark(OperationsPerInvoke = 1000)]
    public void Invoke_from_another_thread_and_wait() => Task.Run(async () =>
    {
        for (int i = 0; i < 1000; i++) await _other.InvokeAsync(static () => Task.CompletedTask);
    }).GetAwaiter().GetResult();

    protected override void Prepare()
    {
        _group = new IOLoopGroup(1);
        _other = _group.Next();
    }

    private async Task AnswerAsync()
    {
        Func<ReadOnlySpan<byte>, ValueTask> answer = line => Far.WriteAsync(line);
        for (int i = 0; i < Count; i++) await await Far.ReadUntilAsync("\n"u8, answer);
    }
}
