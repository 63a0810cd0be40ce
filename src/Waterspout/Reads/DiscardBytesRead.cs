using Waterspout.Loop;

namespace Waterspout.Reads;

/// <summary>A number of bytes that are dropped as they come, so that the buffer never holds more than one receive.</summary>
internal sealed class DiscardBytesRead : ReadOperation<bool>
{
    private long _left;

    internal static DiscardBytesRead Rent(long count)
    {
        DiscardBytesRead read = OperationPool<DiscardBytesRead>.Rent();
        read._left = count;
        return read;
    }

    internal override string Name => "DiscardAsync";

    internal override ReadProgress TryFinish(ReadBuffer buffer)
    {
        int count = (int)Math.Min(_left, buffer.Length);
        buffer.Consume(count);
        _left -= count;
        return _left == 0 ? Finish(true) : ReadProgress.Pending;
    }

    internal override Exception? Truncation(ReadBuffer buffer) => new StreamClosedException(
        CloseReason.EndOfStream,
        new EndOfStreamException($"The stream ended {_left} bytes before the end of what was to be discarded."));

    protected override void Return() => OperationPool<DiscardBytesRead>.Return(this);
}
