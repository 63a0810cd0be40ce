using Waterspout.Loop;

namespace Waterspout.Reads;

/// <summary>Fills the caller's memory: completely or, for a partial read, with what there is.</summary>
/// <remarks>
/// Data that is buffered when a large read begins stays there until the read completes, and what arrives is received after its place in the
/// target. So a cancelled read returns only what it has received itself, however often it is restarted.
/// </remarks>
internal sealed class IntoRead : ReadOperation<int>
{
    // Smaller remainders go through the buffer, where one receive also brings what follows. At 4 KiB, the copy costs less than the receive
    // that it may save.
    private const int SmallestDirect = 4 * 1024;

    // Below this, copying everything again at each attempt costs less than the receive that brings it.
    private const int SmallestLeft = 64 * 1024;

    private Memory<byte> _target;
    private int _front; // bytes in the buffer for the front of the target
    private int _filled; // bytes in the target, after the place of those
    private bool _partial;
    private bool _eofIsAResult;

    internal override string Name => "ReadIntoAsync";

    internal override bool EofIsAResult => _eofIsAResult;

    internal override bool LeavesBuffer => _front > 0;

    internal static IntoRead Rent(Memory<byte> target, bool partial, bool eofIsAResult = false)
    {
        IntoRead read = OperationPool<IntoRead>.Rent();
        read._target = target;
        read._front = read._filled = 0;
        read._partial = partial;
        read._eofIsAResult = eofIsAResult;
        return read;
    }

    internal override ReadProgress TryFinish(ReadBuffer buffer)
    {
        if (_filled == 0) _front = _partial || _target.Length < SmallestLeft ? 0 : Math.Min(buffer.Length, _target.Length);
        // The caller's memory may be disposed. That is noticed even if nothing is copied into it yet.
        if (_front > 0) _ = _target.Span;
        if (buffer.Length > _front || _front + _filled == _target.Length) TakeFrom(buffer);
        return _filled == _target.Length || (_partial && _filled > 0) ? Finish(_filled) : ReadProgress.Pending;
    }

    internal override ReadProgress TryFinishAtEof(ReadBuffer buffer) => _eofIsAResult ? Finish(_filled) : ReadProgress.Pending;

    internal override Memory<byte> GetDirectSpace()
    {
        int at = _front + _filled;
        if (_target.Length - at < SmallestDirect && _front == 0) return default;
        // Accessed here, so that an error of the caller's memory is not taken for one of the descriptor.
        _ = _target.Span;
        return _target[at..];
    }

    internal override void ReceivedDirectly(int count) => _filled += count;

    internal override void Unread(ReadBuffer buffer)
    {
        if (_filled == 0) return;
        ReadOnlySpan<byte> received = _target.Span.Slice(_front, _filled);
        if (_front > 0) buffer.Append(received);
        else buffer.Unread(received);
        _front = _filled = 0;
    }

    protected override void Return()
    {
        _target = default;
        OperationPool<IntoRead>.Return(this);
    }

    /// <summary>Takes the front from the buffer, and what follows what has been filled.</summary>
    private void TakeFrom(ReadBuffer buffer)
    {
        Span<byte> target = _target.Span;
        if (_front > 0)
        {
            buffer.Data[.._front].CopyTo(target);
            buffer.Consume(_front);
            _filled += _front;
            _front = 0;
        }

        int count = Math.Min(buffer.Length, target.Length - _filled);
        buffer.Data[..count].CopyTo(target[_filled..]);
        buffer.Consume(count);
        _filled += count;
    }
}
