using BenchmarkDotNet.Attributes;
using Waterspout.Reads;
using Waterspout.Writes;

namespace Waterspout.Bench.Micro;

/// <summary>The buffers of a stream without the stream: 64 bytes are one operation.</summary>
public class BufferUse
{
    private const int Lines = 1024;
    private const int Length = 64;

    private readonly ReadBuffer _read = new();
    private readonly WriteBuffer _write = new();
    private readonly byte[] _line = new byte[Length];

    [Benchmark(OperationsPerInvoke = Lines)]
    public int Read_buffer_filled_once_and_consumed_by_lines()
    {
        int sum = 0;
        _read.GetSpace(Lines * Length, Lines * Length);
        _read.Commit(Lines * Length);
        for (int i = 0; i < Lines; i++)
        {
            sum += _read.Data[0];
            _read.Consume(Length);
        }

        return sum;
    }

    [Benchmark(OperationsPerInvoke = Lines)]
    public void Read_buffer_filled_and_emptied_line_by_line()
    {
        for (int i = 0; i < Lines; i++)
        {
            _read.Append(_line);
            _read.Consume(Length);
        }
    }

    [Benchmark(OperationsPerInvoke = Lines)]
    public void Write_buffer_of_many_writes_sent_as_one()
    {
        for (int i = 0; i < Lines; i++) _write.Append(_line);
        while (_write.Length > 0) _write.Consume(_write.First.Length);
    }

    [Benchmark(OperationsPerInvoke = Lines)]
    public void Write_buffer_of_one_write_sent_alone()
    {
        for (int i = 0; i < Lines; i++)
        {
            _write.Append(_line);
            _write.Consume(Length);
        }
    }
}
