using System.Buffers;
using System.IO.Pipelines;

namespace Waterspout.Tests.Duplex;

/// <summary>Tests of the pipes of a connection: its left side is a stream, its right side the pipes.</summary>
public abstract class DuplexPipeTest : StreamContract
{
    /// <summary>Runs a body off the loop, and closes both sides after it.</summary>
    protected void RunPipe(Func<BaseIOStream, IDuplexPipe, Task> body, IOStreamOptions? options = null) =>
        RunPair((left, right) => Task.Run(() => UseAsync(left, right, body)), options);

    /// <summary>The same on the loop.</summary>
    protected void RunPipeOnLoop(Func<BaseIOStream, IDuplexPipe, Task> body, IOStreamOptions? options = null) =>
        RunPair((left, right) => UseAsync(left, right, body), options);

    /// <summary>Reads all that comes, up to the end.</summary>
    protected static async Task<byte[]> ReadToEnd(PipeReader reader)
    {
        ArrayBufferWriter<byte> all = new();
        while (true)
        {
            ReadResult result = await reader.ReadAsync();
            foreach (ReadOnlyMemory<byte> piece in result.Buffer) all.Write(piece.Span);
            reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted) return all.WrittenSpan.ToArray();
        }
    }

    /// <summary>Reads until there are so many bytes, and takes them.</summary>
    protected static async Task<string> Read(PipeReader reader, int count)
    {
        ReadResult result = await reader.ReadAtLeastAsync(count);
        ReadOnlySequence<byte> data = result.Buffer.Slice(0, count);
        string text = Text(data.ToArray());
        reader.AdvanceTo(data.End);
        return text;
    }

    private static async Task UseAsync(BaseIOStream left, BaseIOStream right, Func<BaseIOStream, IDuplexPipe, Task> body)
    {
        Task closed = WhenClosed(right);
        IDuplexPipe pipe = right.AsDuplexPipe();
        await body(left, pipe);
        left.Close();
        await pipe.Input.CompleteAsync();
        await pipe.Output.CompleteAsync();
        await closed;
    }
}
