using Waterspout.Loop;
using Waterspout.Searching;

namespace Waterspout.Reads;

/// <summary>Everything up to and with the first of several delimiters.</summary>
internal sealed class UntilAnyRead<T> : ReadOperation<T>
{
    private DelimiterSet _delimiters = null!;
    private Func<ReadOnlySpan<byte>, int, T> _parse = null!;
    private int _scanned;
    private int _maxBytes;

    internal override string Name => "ReadUntilAnyAsync";

    internal override int Limit => _maxBytes;

    internal static UntilAnyRead<T> Rent(DelimiterSet delimiters, int? maxBytes, Func<ReadOnlySpan<byte>, int, T> parse)
    {
        UntilAnyRead<T> read = OperationPool<UntilAnyRead<T>>.Rent();
        read._delimiters = delimiters;
        read._maxBytes = maxBytes ?? int.MaxValue;
        read._scanned = 0;
        read._parse = parse;
        return read;
    }

    internal override ReadProgress TryFinish(ReadBuffer buffer)
    {
        ReadOnlySpan<byte> data = buffer.Data;
        int end = _delimiters.FindEnd(data, _scanned, out int which);
        _scanned = data.Length;
        ReadProgress progress = CheckLimits(end < 0 ? data.Length : end);
        if (end < 0 || progress != ReadProgress.Pending) return progress;
        try
        {
            return Finish(_parse(data[..end], which));
        }
        finally
        {
            buffer.Consume(end);
        }
    }

    protected override void Return()
    {
        _delimiters = null!;
        _parse = null!;
        OperationPool<UntilAnyRead<T>>.Return(this);
    }
}
