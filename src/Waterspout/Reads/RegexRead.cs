using Waterspout.Loop;
using Waterspout.Searching;

namespace Waterspout.Reads;

/// <summary>Everything up to the end of a regular expression's leftmost match in what has arrived so far.</summary>
internal sealed class RegexRead : ReadOperation<byte[]>
{
    private RegexScanner _scanner = null!;
    private int _maxBytes;

    internal override string Name => "ReadUntilRegexAsync";

    internal override int Limit => _maxBytes;

    internal static RegexRead Rent(RegexScanner scanner, int? maxBytes)
    {
        RegexRead read = OperationPool<RegexRead>.Rent();
        read._scanner = scanner;
        read._maxBytes = maxBytes ?? int.MaxValue;
        return read;
    }

    internal override bool KeepsView => true;

    internal override ReadProgress TryFinish(ReadBuffer buffer)
    {
        int end = _scanner.FindEnd(buffer.Data, buffer.Position);
        ReadProgress progress = CheckLimits(end < 0 ? buffer.Length : end);
        if (end < 0 || progress != ReadProgress.Pending) return progress;
        return Finish(buffer.TakeArray(end));
    }

    // No bytes have been taken; but the widened text would stay as long as the stream, and be as long as the buffered data.
    internal override void Unread(ReadBuffer buffer) => _scanner.Release();

    protected override void Return()
    {
        _scanner = null!;
        OperationPool<RegexRead>.Return(this);
    }
}
