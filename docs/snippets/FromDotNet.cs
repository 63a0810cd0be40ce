using System.Buffers;
using System.IO.Pipelines;
using Waterspout;

namespace Snippets;

internal static class FromDotNet
{
    internal static async Task EchoByPipeReader(Stream stream)
    {
        PipeReader reader = PipeReader.Create(stream);
        while (true)
        {
            using CancellationTokenSource limit = new(TimeSpan.FromSeconds(30));
            ReadResult result = await reader.ReadAsync(limit.Token);
            ReadOnlySequence<byte> data = result.Buffer;
            while (data.PositionOf((byte)'\n') is { } end)
            {
                SequencePosition next = data.GetPosition(1, end);
                if (data.Slice(0, next).Length > 4096) throw new InvalidDataException("The line is too long.");
                foreach (ReadOnlyMemory<byte> piece in data.Slice(0, next)) await stream.WriteAsync(piece);
                data = data.Slice(next);
            }

            reader.AdvanceTo(data.Start, data.End);
            if (data.Length > 4096) throw new InvalidDataException("The line is too long.");
            if (result.IsCompleted) break;
        }

        await reader.CompleteAsync();
    }

    internal static async Task Echo(IOStream stream)
    {
        while (true) await stream.WriteAsync(await stream.ReadUntilAsync("\n"u8, maxBytes: 4096, timeout: TimeSpan.FromSeconds(30)));
    }
}
