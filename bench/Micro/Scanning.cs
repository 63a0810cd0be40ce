using System.Text.RegularExpressions;
using BenchmarkDotNet.Attributes;
using Waterspout.Searching;

namespace Waterspout.Bench.Micro;

/// <summary>Searches for the end of a message that is complete, and of one that arrives in pieces of 4 KiB.</summary>
public partial class Scanning
{
    private const int Piece = 4096;

    private byte[] _data = [];

    /// <summary>The length of the message, in bytes.</summary>
    [Params(64, 4096, 1048576)]
    public int Length { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _data = new byte[Length];
        _data.AsSpan().Fill((byte)'x');
        "\r\n\r\n"u8.CopyTo(_data.AsSpan(^4));
    }

    [Benchmark]
    public int One_byte() => Delimiter.FindEnd(_data, "\n"u8, 0);

    [Benchmark]
    public int Two_bytes() => Delimiter.FindEnd(_data, "\r\n"u8, 0);

    [Benchmark]
    public int Four_bytes() => Delimiter.FindEnd(_data, "\r\n\r\n"u8, 0);

    [Benchmark]
    public int Two_bytes_in_pieces()
    {
        int end = -1;
        for (int there = Math.Min(Piece, Length), scanned = 0; end < 0; scanned = there, there = Math.Min(there + Piece, Length))
            end = Delimiter.FindEnd(_data.AsSpan(0, there), "\r\n"u8, scanned);
        return end;
    }

    [Benchmark]
    public int Regex_whole()
    {
        RegexScanner scanner = new(EmptyLine());
        int end = scanner.FindEnd(_data);
        scanner.Release();
        return end;
    }

    [Benchmark]
    public int Regex_in_pieces()
    {
        RegexScanner scanner = new(EmptyLine());
        int end = -1;
        for (int there = Math.Min(Piece, Length); end < 0; there = Math.Min(there + Piece, Length)) end = scanner.FindEnd(_data.AsSpan(0, there));
        scanner.Release();
        return end;
    }

    [GeneratedRegex("\r?\n\r?\n", RegexOptions.CultureInvariant)]
    private static partial Regex EmptyLine();
}
