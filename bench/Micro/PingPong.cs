using BenchmarkDotNet.Attributes;

namespace Waterspout.Bench.Micro;

/// <summary>A line there and back, and the loop's own work.</summary>
public class PingPong : StreamBenchmark
{
    private readonly byte[] _line = [.. Enumerable.Repeat((byte)'x', 63), (byte)'\n'];

    [Benchmark(OperationsPerInvoke = Count)]
    public void Round_trip() => Loop.RunSync(async () =>
    {
        Task answering = AnswerAsync();
        for (int i = 0; i < Count; i++)
        {
            _ = Near.WriteAsync(_line);
            Consumer.Consume(await Near.ReadUntilAsync("\n"u8, static line => line.Length));
        }

        await answering;
    });

    [Benchmark(OperationsPerInvoke = Count)]
    public void Callback() => Loop.RunSync(() =>
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

    [Benchmark(OperationsPerInvoke = Count)]
    public void Timer_set_and_cancelled() => Loop.RunSync(() =>
    {
        for (int i = 0; i < Count; i++) Loop.CallLater(TimeSpan.FromMinutes(1), static () => { }).Dispose();
        return Task.CompletedTask;
    });

    private async Task AnswerAsync()
    {
        Func<ReadOnlySpan<byte>, ValueTask> answer = line => Far.WriteAsync(line);
        for (int i = 0; i < Count; i++) await await Far.ReadUntilAsync("\n"u8, answer);
    }
}
