using System.Text;
using Waterspout.Loop;

namespace Waterspout.Reads;

/// <summary>A line of text, without what ends it; null at the end of the stream.</summary>
internal sealed class LineRead : ReadOperation<string?>
{
    private Encoding _encoding = null!;
    private int _scanned;
    private int _maxBytes;

    internal override string Name => "ReadLineAsync";

    internal override int Limit => _maxBytes;

    internal override string Unit => "The line";

    internal override bool EofIsAResult => true;

    internal static LineRead Rent(Encoding encoding, int? maxBytes)
    {
        LineRead read = OperationPool<LineRead>.Rent();
        read._encoding = encoding;
        read._scanned = 0;
        read._maxBytes = maxBytes ?? int.MaxValue;
        return read;
    }

    internal override ReadProgress TryFinish(ReadBuffer buffer)
    {
        ReadOnlySpan<byte> data = buffer.Data;
        int index = data[_scanned..].IndexOf((byte)'\n');
        int end = index < 0 ? data.Length : _scanned + index + 1;
        _scanned = data.Length;
        ReadProgress progress = CheckLimits(end);
        return index < 0 || progress != ReadProgress.Pending ? progress : Finish(buffer, WithoutEnd(data[..end]).Length, end);
    }

    internal override ReadProgress TryFinishAtEof(ReadBuffer buffer) =>
        buffer.Length == 0 ? Finish(null) : Finish(buffer, buffer.Length, buffer.Length);

    internal static ReadOnlySpan<byte> WithoutEnd(ReadOnlySpan<byte> line) => line.EndsWith("\r\n"u8) ? line[..^2] : line[..^1];

    private ReadProgress Finish(ReadBuffer buffer, int length, int consumed)
    {
        try
        {
            return Finish(_encoding.GetString(buffer.Data[..length]));
        }
        finally
        {
            buffer.Consume(consumed);
        }
    }

    protected override void Return()
    {
        _encoding = null!;
        OperationPool<LineRead>.Return(this);
    }
}
