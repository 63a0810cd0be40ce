using BenchmarkDotNet.Attributes;
using Waterspout.Searching;

namespace Waterspout.Bench.Micro;

/// <summary>Searches for the ends of 1024 lines that have arrived together; figures are per line.</summary>
public class Lines
{
    private const int Count = 1024;

    private byte[] _data = [];

    /// <summary>The length of a line, in bytes.</summary>
    [Params(16, 64, 256)]
    public int Length { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _data = new byte[Count * Length];
        for (int end = Length; end <= _data.Length; end += Length) _data[end - 1] = (byte)'\n';
    }

    [Benchmark(OperationsPerInvoke = Count)]
    public int One_search_for_each()
    {
        int start = 0;
        while (Delimiter.FindEnd(_data.AsSpan(start), "\n"u8, 0) is > 0 and var length) start += length;
        return start;
    }

    [Benchmark(OperationsPerInvoke = Count)]
    public int One_search_for_all()
    {
        DelimiterScanner marks = new(_data, "\n"u8, 0);
        int start = 0;
        while (marks.NextEnd(start) is > 0 and var end) start = end;
        return start;
    }
}
