using Waterspout.Loop;

namespace Waterspout.Reads;

/// <summary>A look at the next bytes, which stay where they are.</summary>
/// <remarks>The bytes are copied: what is peeked at is small, and a copy cannot be overwritten by what arrives later.</remarks>
internal sealed class PeekRead : ReadOperation<ReadOnlyMemory<byte>>
{
    private int _count;

    internal static PeekRead Rent(int count)
    {
        PeekRead read = OperationPool<PeekRead>.Rent();
        read._count = count;
        return read;
    }

    internal override ReadProgress TryFinish(ReadBuffer buffer) =>
        buffer.Length >= _count ? Finish(buffer.Data[.._count].ToArray()) : ReadProgress.Pending;

    protected override void Return() => OperationPool<PeekRead>.Return(this);
}
