using System.Buffers;
using BenchmarkDotNet.Attributes;

namespace Waterspout.Bench.Micro;

/// <summary>
/// Each form of writing 64 bytes: one write is one operation. A hundred are sent together, and the other end discards them on the same
/// loop.
/// </summary>
public class Writing : StreamBenchmark
{
    private const int Batch = 100;

    private readonly byte[] _line = new byte[64];
    private readonly byte[] _target = new byte[Batch * 64];
    private ReadOnlySequence<byte> _sequence;

    [Benchmark(Baseline = true, OperationsPerInvoke = Count)]
    public void Of_a_span() => Write(() => Near.WriteAsync(_line.AsSpan()));

    [Benchmark(OperationsPerInvoke = Count)]
    public void Of_memory() => Write(() => Near.WriteAsync(_line.AsMemory()));

    [Benchmark(OperationsPerInvoke = Count)]
    public void Of_a_sequence() => Write(() => Near.WriteAsync(_sequence));

    [Benchmark(OperationsPerInvoke = Count)]
    public void In_the_buffer() => Write(() =>
    {
        _line.CopyTo(Near.GetSpan(_line.Length));
        Near.Advance(_line.Length);
        return ValueTask.CompletedTask;
    });

    [Benchmark(OperationsPerInvoke = Count)]
    public void Callback_form() => Write(() =>
    {
        Near.Write(_line);
        return ValueTask.CompletedTask;
    });

    protected override void Prepare() => _sequence = new ReadOnlySequence<byte>(_line);

    private void Write(Func<ValueTask> write) => Loop.RunSync(async () =>
    {
        for (int i = 0; i < Count / Batch; i++)
        {
            for (int j = 0; j < Batch; j++) await write();
            await Far.ReadIntoAsync(_target);
        }
    });
}
