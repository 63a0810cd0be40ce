using System.Text;

namespace Waterspout.Bench.Peers;

/// <summary>StreamReader and StreamWriter over NetworkStream: the shortest way to lines. It decodes them to strings.</summary>
internal sealed class StreamReaderServer : IServer
{
    public bool Start(ServerOptions options)
    {
        Func<Stream, Task>? handler = options.Mode switch
        {
            "echo" => EchoAsync,
            "sink-lines" => CountLinesAsync,
            "message" => AnswerLengthAsync,
            _ => null,
        };
        if (handler is not null) Acceptor.Listen(options, handler);
        return handler is not null;
    }

    private static StreamReader Read(Stream stream) => new(stream, Encoding.Latin1, detectEncodingFromByteOrderMarks: false, bufferSize: 4096, leaveOpen: true);

    private static StreamWriter Write(Stream stream) => new(stream, Encoding.Latin1, bufferSize: 4096, leaveOpen: true) { NewLine = "\n" };

    private static async Task EchoAsync(Stream stream)
    {
        using StreamReader reader = Read(stream);
        await using StreamWriter writer = Write(stream);
        while (await reader.ReadLineAsync() is { } line)
        {
            // The reader does not reveal whether it has another line, so each has to be flushed.
            await writer.WriteLineAsync(line);
            await writer.FlushAsync();
        }
    }

    private static async Task CountLinesAsync(Stream stream)
    {
        using StreamReader reader = new(stream, Encoding.Latin1, detectEncodingFromByteOrderMarks: false, bufferSize: 65536, leaveOpen: true);
        long lines = 0;
        while (await reader.ReadLineAsync() is not null) lines++;
        await stream.WriteAsync(Answers.Number(lines));
    }

    private static async Task AnswerLengthAsync(Stream stream)
    {
        using StreamReader reader = Read(stream);
        while (await reader.ReadLineAsync() is { } line) await stream.WriteAsync(Answers.Number(line.Length + 1));
    }
}
