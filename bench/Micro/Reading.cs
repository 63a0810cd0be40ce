using System.Text.RegularExpressions;
using BenchmarkDotNet.Attributes;

namespace Waterspout.Bench.Micro;

/// <summary>Each form of reading, from a stream of lines of 64 bytes: one line is one operation. Both ends are on one loop.</summary>
public partial class Reading : StreamBenchmark
{
    private const int Length = 64;

    private readonly byte[] _target = new byte[Length];
    private byte[] _lines = [];

    [Benchmark(Baseline = true, OperationsPerInvoke = Count)]
    public void Until_a_delimiter_in_place() => Read(static async stream => await stream.ReadUntilAsync("\n"u8, static line => line.Length));

    [Benchmark(OperationsPerInvoke = Count)]
    public void Until_a_delimiter_array() => Read(static async stream => (await stream.ReadUntilAsync("\n"u8)).Length);

    [Benchmark(OperationsPerInvoke = Count)]
    public void Until_a_regex_array() => Read(static async stream => (await stream.ReadUntilRegexAsync(EndOfLine())).Length);

    [Benchmark(OperationsPerInvoke = Count)]
    public void So_many_bytes_in_place() => Read(static async stream => await stream.ReadBytesAsync(Length, static record => record.Length));

    [Benchmark(OperationsPerInvoke = Count)]
    public void So_many_bytes_array() => Read(static async stream => (await stream.ReadBytesAsync(Length)).Length);

    [Benchmark(OperationsPerInvoke = Count)]
    public void Into_a_buffer() => Read(stream => stream.ReadIntoAsync(_target));

    [Benchmark(OperationsPerInvoke = Count)]
    public void Split() => Loop.RunSync(async () =>
    {
        Task writing = Far.WriteAsync(_lines.AsMemory()).AsTask();
        int count = 0;
        await foreach (byte[] line in Near.SplitAsync("\n"u8.ToArray()))
        {
            Consumer.Consume(line.Length);
            if (++count == Count) break;
        }

        await writing;
    });

    protected override void Prepare()
    {
        byte[] line = [.. Enumerable.Repeat((byte)'x', Length - 1), (byte)'\n'];
        _lines = [.. Enumerable.Repeat(line, Count).SelectMany(bytes => bytes)];
    }

    [GeneratedRegex("\r?\n", RegexOptions.CultureInvariant)]
    private static partial Regex EndOfLine();

    private void Read(Func<IOStream, ValueTask<int>> read) => Loop.RunSync(async () =>
    {
        Task writing = Far.WriteAsync(_lines.AsMemory()).AsTask();
        for (int i = 0; i < Count; i++) Consumer.Consume(await read(Near));
        await writing;
    });
}
