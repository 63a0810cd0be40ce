using Waterspout.Loop;
using Waterspout.Searching;

namespace Waterspout.Reads;

/// <summary>
/// Everything up to and with a delimiter, dropped as it comes, but for bytes that the delimiter may begin with.
/// </summary>
internal sealed class DiscardUntilRead : ReadOperation<long>
{
    private byte[] _delimiter = [];
    private int _scanned;
    private long _dropped;

    internal static DiscardUntilRead Rent(ReadOnlySpan<byte> delimiter)
    {
        DiscardUntilRead read = OperationPool<DiscardUntilRead>.Rent();
        read._delimiter = Delimiter.Copy(delimiter);
        read._scanned = 0;
        read._dropped = 0;
        return read;
    }

    internal override string Name => "DiscardUntilAsync";

    internal override ReadProgress TryFinish(ReadBuffer buffer)
    {
        int end = Delimiter.FindEnd(buffer.Data, _delimiter, _scanned);
        int kept = end < 0 ? Math.Min(buffer.Length, _delimiter.Length - 1) : buffer.Length - end;
        int count = buffer.Length - kept;
        buffer.Consume(count);
        _dropped += count;
        _scanned = kept;
        return end < 0 ? ReadProgress.Pending : Finish(_dropped);
    }

    protected override void Return() => OperationPool<DiscardUntilRead>.Return(this);
}
