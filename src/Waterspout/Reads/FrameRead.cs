using Waterspout.Loop;

namespace Waterspout.Reads;

/// <summary>A length, and as many bytes as it says.</summary>
internal sealed class FrameRead<T> : ReadOperation<T>
{
    private FrameLength _length;
    private Func<ReadOnlySpan<byte>, T> _parse = null!;
    private int _maxBytes;
    private int _wanted;
    private ulong _announced;

    internal override string Name => "ReadFrameAsync";

    internal override int Limit => _maxBytes;

    internal override string Unit => $"The frame, which has {_announced} bytes,";

    internal static FrameRead<T> Rent(FrameLength length, int? maxBytes, Func<ReadOnlySpan<byte>, T> parse)
    {
        FrameRead<T> read = OperationPool<FrameRead<T>>.Rent();
        read._length = length;
        read._maxBytes = maxBytes ?? int.MaxValue;
        read._wanted = length.LeastSize;
        read._parse = parse;
        return read;
    }

    internal override ReadProgress TryFinish(ReadBuffer buffer)
    {
        if (buffer.Length < _wanted) return ReadProgress.Pending;
        int header = _length.Read(buffer.Data, out ulong following);
        if (header == 0)
        {
            _wanted = buffer.Length + 1;
            return ReadProgress.Pending;
        }

        // The peer may have said anything: what it says is looked at before memory is taken for it.
        if (following > (ulong)Limit && Limit < int.MaxValue)
        {
            _announced = following;
            return ReadProgress.Unsatisfiable;
        }

        if (following > (ulong)Math.Max(0, Owner.BufferLimit - header)) return ReadProgress.BufferFull;
        _wanted = header + (int)following;
        if (buffer.Length < _wanted) return ReadProgress.Pending;
        buffer.Consume(header);
        return Finish(buffer, (int)following, _parse);
    }

    internal override Exception? Truncation(ReadBuffer buffer) => MessageParsing.Truncation(buffer.Length, "a frame");

    protected override void Return()
    {
        _parse = null!;
        OperationPool<FrameRead<T>>.Return(this);
    }
}
