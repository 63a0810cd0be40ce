#pragma warning disable CA1835 // each form of the call is tested

namespace Waterspout.Tests.Duplex;

/// <summary>Tests of a stream of ours as a <see cref="Stream"/>: its left side is ours, its right side the platform's.</summary>
public abstract class StreamTest : StreamContract
{
    private const string Array = nameof(Array);
    private const string Span = nameof(Span);
    private const string ArrayAsync = nameof(ArrayAsync);
    private const string MemoryAsync = nameof(MemoryAsync);
    private const string BeginEnd = nameof(BeginEnd);

    /// <summary>The forms of a read or write.</summary>
    public static TheoryData<string> Forms => [Array, Span, ArrayAsync, MemoryAsync, BeginEnd];

    /// <summary>Runs a body off the loop, and closes both sides after it.</summary>
    protected void RunStream(Func<BaseIOStream, Stream, Task> body, IOStreamOptions? options = null) => RunPair((left, right) => Task.Run(async () =>
    {
        Stream stream = right.AsStream();
        await body(left, stream);
        left.Close();
        await stream.DisposeAsync();
    }), options);

    /// <summary>Reads once, by one of the forms.</summary>
    protected static async Task<int> Read(Stream stream, string form, byte[] target, int offset, int count) => form switch
    {
        Array => stream.Read(target, offset, count),
        Span => stream.Read(target.AsSpan(offset, count)),
        ArrayAsync => await stream.ReadAsync(target, offset, count),
        MemoryAsync => await stream.ReadAsync(target.AsMemory(offset, count)),
        _ => await Task.Factory.FromAsync(stream.BeginRead, stream.EndRead, target, offset, count, null),
    };

    /// <summary>Writes, by one of the forms.</summary>
    protected static async Task Write(Stream stream, string form, byte[] data, int offset, int count)
    {
        switch (form)
        {
            case Array:
                stream.Write(data, offset, count);
                break;
            case Span:
                stream.Write(data.AsSpan(offset, count));
                break;
            case ArrayAsync:
                await stream.WriteAsync(data, offset, count);
                break;
            case MemoryAsync:
                await stream.WriteAsync(data.AsMemory(offset, count));
                break;
            default:
                await Task.Factory.FromAsync(stream.BeginWrite, stream.EndWrite, data, offset, count, null);
                break;
        }
    }

    protected static async Task<string> ReadText(Stream stream, int count)
    {
        byte[] data = new byte[count];
        await stream.ReadExactlyAsync(data);
        return Text(data);
    }
}
