using Waterspout.Loop;

namespace Waterspout.Reads;

/// <summary>A number of bytes; or, for a partial read, what there is, up to that number.</summary>
internal sealed class BytesRead<T> : ReadOperation<T>
{
    private int _count;
    private bool _partial;
    private Func<ReadOnlySpan<byte>, T> _parse = null!;

    internal static BytesRead<T> Rent(int count, bool partial, Func<ReadOnlySpan<byte>, T> parse)
    {
        BytesRead<T> read = OperationPool<BytesRead<T>>.Rent();
        read._count = count;
        read._partial = partial;
        read._parse = parse;
        return read;
    }

    /// <summary>The number of buffered bytes that completes the read; zero if more are needed.</summary>
    internal static int Available(int buffered, int count, bool partial) =>
        buffered >= count ? count : partial ? buffered : 0;

    internal override string Name => "ReadBytesAsync";

    internal override ReadProgress TryFinish(ReadBuffer buffer)
    {
        int count = Available(buffer.Length, _count, _partial);
        return count > 0 ? Finish(buffer, count, _parse) : ReadProgress.Pending;
    }

    protected override void Return()
    {
        _parse = null!;
        OperationPool<BytesRead<T>>.Return(this);
    }
}
