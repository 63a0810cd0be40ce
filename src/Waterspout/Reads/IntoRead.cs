using Waterspout.Buffers;

namespace Waterspout.Reads;

/// <summary>Fills the caller's memory, to the end or, for a partial read, with what there is.</summary>
internal sealed class IntoRead : ReadOperation<int>
{
    // Smaller remainders go through the buffer, where one receive brings what follows as well. 4 KiB: copying that
    // costs less than the receive that it may save.
    private const int SmallestDirect = 4 * 1024;

    private Memory<byte> _target;
    private int _filled;
    private bool _partial;
    private bool _endIsAResult;

    // An empty target asks for nothing but to be told when there is something.
    internal override bool IsSatisfiedByReadiness => _target.IsEmpty;

    internal override bool EndIsAResult => _endIsAResult;

    internal static IntoRead Rent(Memory<byte> target, bool partial, bool endIsAResult = false)
    {
        IntoRead read = OperationPool<IntoRead>.Rent();
        read._target = target;
        read._filled = 0;
        read._partial = partial;
        read._endIsAResult = endIsAResult;
        return read;
    }

    internal override ReadProgress TryFinish(ReadBuffer buffer)
    {
        if (_target.IsEmpty) return buffer.Length > 0 || Stream.IsReadable ? Finish(0) : ReadProgress.Pending;
        int count = Math.Min(buffer.Length, _target.Length - _filled);
        if (count > 0)
        {
            buffer.Data[..count].CopyTo(_target.Span[_filled..]);
            buffer.Consume(count);
            _filled += count;
        }

        return _filled == _target.Length || (_partial && _filled > 0) ? Finish(_filled) : ReadProgress.Pending;
    }

    internal override ReadProgress TryFinishAtEnd(ReadBuffer buffer) => _endIsAResult ? Finish(_filled) : ReadProgress.Pending;

    internal override Memory<byte> GetDirectSpace()
    {
        if (_target.Length - _filled < SmallestDirect) return default;
        // Looked at here, where an error of the caller's memory is not taken for one of the descriptor.
        _ = _target.Span;
        return _target[_filled..];
    }

    internal override void ReceivedDirectly(int count) => _filled += count;

    internal override void GiveBack(ReadBuffer buffer)
    {
        buffer.Prepend(_target.Span[.._filled]);
        _filled = 0;
    }

    protected override void Return()
    {
        _target = default;
        OperationPool<IntoRead>.Return(this);
    }
}
