using Waterspout.Loop;
using Waterspout.Searching;

namespace Waterspout.Reads;

/// <summary>Everything up to and including a delimiter.</summary>
internal sealed class UntilRead<T> : ReadOperation<T>
{
    private byte[] _delimiter = [];
    private int _scanned;
    private int _maxBytes;
    private Func<ReadOnlySpan<byte>, T> _parse = null!;

    internal override string Name => "ReadUntilAsync";

    internal override int Limit => _maxBytes;

    internal static UntilRead<T> Rent(
        ReadOnlySpan<byte> delimiter, int scanned, int? maxBytes, Func<ReadOnlySpan<byte>, T> parse)
    {
        UntilRead<T> read = OperationPool<UntilRead<T>>.Rent();
        read._delimiter = Delimiter.Copy(delimiter);
        read._scanned = scanned;
        read._maxBytes = maxBytes ?? int.MaxValue;
        read._parse = parse;
        return read;
    }

    internal override ReadProgress TryFinish(ReadBuffer buffer)
    {
        ReadOnlySpan<byte> data = buffer.Data;
        int end = Delimiter.FindEnd(data, _delimiter, _scanned);
        _scanned = data.Length;
        ReadProgress progress = CheckLimits(end < 0 ? data.Length : end);
        return end < 0 || progress != ReadProgress.Pending ? progress : Finish(buffer, end, _parse);
    }

    protected override void Return()
    {
        _parse = null!;
        OperationPool<UntilRead<T>>.Return(this);
    }
}
