using BenchmarkDotNet.Attributes;

namespace Waterspout.Bench.Micro;

/// <summary>A stream of lines of 64 bytes: one line is one operation.</summary>
public class Lines : StreamBenchmark
{
    private byte[] _lines = [];

    [Benchmark(Baseline = true, OperationsPerInvoke = Count)]
    public void Zero_copy() => Loop.RunSync(async () =>
    {
        Task writing = Far.WriteAsync(_lines).AsTask();
        Func<ReadOnlySpan<byte>, int> parse = static line => line.Length;
        for (int i = 0; i < Count; i++) Consumer.Consume(await Near.ReadUntilAsync("\n"u8, parse));
        await writing;
    });

    [Benchmark(OperationsPerInvoke = Count)]
    public void Arrays() => Loop.RunSync(async () =>
    {
        Task writing = Far.WriteAsync(_lines).AsTask();
        for (int i = 0; i < Count; i++) Consumer.Consume(await Near.ReadUntilAsync("\n"u8));
        await writing;
    });

    [Benchmark(OperationsPerInvoke = Count)]
    public void By_regex() => Loop.RunSync(async () =>
    {
        Task writing = Far.WriteAsync(_lines).AsTask();
        for (int i = 0; i < Count; i++) Consumer.Consume(await Near.ReadUntilRegexAsync("\r?\n"));
        await writing;
    });

    [Benchmark(OperationsPerInvoke = Count)]
    public void Fixed_length() => Loop.RunSync(async () =>
    {
        Task writing = Far.WriteAsync(_lines).AsTask();
        Func<ReadOnlySpan<byte>, int> parse = static record => record.Length;
        for (int i = 0; i < Count; i++) Consumer.Consume(await Near.ReadBytesAsync(64, parse));
        await writing;
    });

    protected override void Prepare()
    {
        byte[] line = new byte[64];
        line.AsSpan().Fill((byte)'x');
        line[^1] = (byte)'\n';
        _lines = [.. Enumerable.Repeat(line, Count).SelectMany(bytes => bytes)];
    }
}
