using Waterspout.Loop;

namespace Waterspout.Reads;

/// <summary>A large number of bytes as an array, received directly into that array without an extra copy.</summary>
internal sealed class ArrayRead : ReadOperation<byte[]>
{
    // From this size on, the saved copy is worth more than the read-ahead that is given up. Above the upper bound the array is not
    // allocated on the peer's word alone: the buffer grows with what actually arrives.
    internal const int Smallest = 16 * 1024;
    internal const int Largest = 1024 * 1024;

    private byte[] _target = [];
    private int _filled;

    internal static ArrayRead Rent(int count)
    {
        ArrayRead read = OperationPool<ArrayRead>.Rent();
        read._target = GC.AllocateUninitializedArray<byte>(count);
        read._filled = 0;
        return read;
    }

    internal override string Name => "ReadBytesAsync";

    internal override ReadProgress TryFinish(ReadBuffer buffer)
    {
        int count = Math.Min(buffer.Length, _target.Length - _filled);
        if (count > 0)
        {
            buffer.Data[..count].CopyTo(_target.AsSpan(_filled));
            buffer.Consume(count);
            _filled += count;
        }

        return _filled == _target.Length ? Finish(_target) : ReadProgress.Pending;
    }

    internal override Memory<byte> GetDirectSpace() => _target.AsMemory(_filled);

    internal override void ReceivedDirectly(int count) => _filled += count;

    internal override void Unread(ReadBuffer buffer) => buffer.Unread(_target.AsSpan(0, _filled));

    protected override void Return()
    {
        _target = [];
        OperationPool<ArrayRead>.Return(this);
    }
}
