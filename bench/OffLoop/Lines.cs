using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text;

namespace Waterspout.Bench.OffLoop;

/// <summary>Reads lines one by one, and sums their lengths.</summary>
internal static class Lines
{
    internal static async Task StreamReaderAsync(Socket socket)
    {
        socket.Send("lines\n"u8);
        using StreamReader reader = new(new NetworkStream(socket, ownsSocket: true), Encoding.ASCII, false, 64 * 1024);
        int lines = 0;
        while (await reader.ReadLineAsync() is not null) lines++;
        Check(lines);
    }

    internal static async Task PipeReaderAsync(Socket socket)
    {
        socket.Send("lines\n"u8);
        PipeReader reader = PipeReader.Create(new NetworkStream(socket, ownsSocket: true), new StreamPipeReaderOptions(bufferSize: 64 * 1024));
        int lines = 0;
        while (true)
        {
            ReadResult result = await reader.ReadAsync();
            ReadOnlySequence<byte> data = result.Buffer;
            while (data.PositionOf((byte)'\n') is { } end)
            {
                lines++;
                data = data.Slice(data.GetPosition(1, end));
            }

            if (result.IsCompleted) break;
            reader.AdvanceTo(data.Start, data.End);
        }

        await reader.CompleteAsync();
        Check(lines);
    }

    internal static async Task ParserAsync(Socket socket)
    {
        await using IOStream stream = new(socket, loop: IOLoop.Default);
        await stream.WriteAsync("lines\n"u8);
        await CountAsync(stream);
    }

    internal static async Task ReadLineAsync(Socket socket)
    {
        await using IOStream stream = new(socket, loop: IOLoop.Default);
        await stream.WriteAsync("lines\n"u8);
        int lines = 0;
        while (await stream.ReadLineAsync(Encoding.ASCII) is not null) lines++;
        Check(lines);
    }

    internal static async Task SwitchedAsync(Socket socket)
    {
        await IOLoop.Default.SwitchTo();
        await ParserAsync(socket);
    }

    private static async Task CountAsync(IOStream stream)
    {
        int lines = 0;
        while (lines < Peer.LineCount && await stream.ReadUntilAsync("\n"u8, static line => line.Length) > 0) lines++;
        Check(lines);
    }

    private static void Check(int lines)
    {
        if (lines != Peer.LineCount) throw new InvalidOperationException($"{lines} lines.");
    }
}
