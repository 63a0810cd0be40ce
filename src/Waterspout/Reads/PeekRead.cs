using Waterspout.Loop;

namespace Waterspout.Reads;

/// <summary>Returns the next bytes without consuming them.</summary>
/// <remarks>The bytes are copied: they are few, and a copy cannot be overwritten by what arrives later.</remarks>
internal sealed class PeekRead : ReadOperation<ReadOnlyMemory<byte>>
{
    private int _count;

    internal static PeekRead Rent(int count)
    {
        PeekRead read = OperationPool<PeekRead>.Rent();
        read._count = count;
        return read;
    }

    internal override string Name => "PeekAsync";

    internal override ReadProgress TryFinish(ReadBuffer buffer) =>
        buffer.Length >= _count ? Finish(buffer.Data[.._count].ToArray()) : ReadProgress.Pending;

    protected override void Return() => OperationPool<PeekRead>.Return(this);
}
