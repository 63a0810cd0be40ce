using System.Buffers;
using System.IO.Pipelines;

namespace Waterspout.Bench.Peers;

/// <summary>PipeReader with one await per line, as a protocol written as straight-line code uses it.</summary>
internal sealed class PipeReaderLineServer : IServer
{
    public bool Start(ServerOptions options)
    {
        if (options.Mode != "sink-lines") return false;
        Acceptor.Listen(options, CountLinesAsync);
        return true;
    }

    private static async Task CountLinesAsync(Stream stream)
    {
        PipeReader reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 65536, leaveOpen: true));
        long lines = 0;
        while (await ReadLineAsync(reader) > 0) lines++;
        await reader.CompleteAsync();
        await stream.WriteAsync(Answers.Number(lines));
    }

    private static async ValueTask<long> ReadLineAsync(PipeReader reader)
    {
        while (true)
        {
            ReadResult result = await reader.ReadAsync();
            if (result.Buffer.PositionOf((byte)'\n') is { } end)
            {
                SequencePosition next = result.Buffer.GetPosition(1, end);
                long length = result.Buffer.Slice(0, next).Length;
                reader.AdvanceTo(next);
                return length;
            }

            reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            if (result.IsCompleted) return 0;
        }
    }
}
