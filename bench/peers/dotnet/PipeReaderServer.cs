using System.IO.Pipelines;

namespace Waterspout.Bench.Peers;

/// <summary>PipeReader and PipeWriter over NetworkStream: all lines of one read, then one flush.</summary>
internal sealed class PipeReaderServer : IServer
{
    public bool Start(ServerOptions options)
    {
        Func<IDuplexPipe, Task>? handler = PipeProtocols.Get(options);
        if (handler is null) return false;
        // A large buffer pays for streams of lines; otherwise each connection would keep it for nothing.
        int size = options.Mode switch { "echo" => 4096, "sink-bulk" => Math.Max(65536, options.Size), _ => 65536 };
        Acceptor.Listen(options, async (Stream stream) =>
        {
            PipeReader reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: size, useZeroByteReads: options.SavesMemory, leaveOpen: true));
            PipeWriter writer = PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true));
            await handler(new Duplex(reader, writer));
            await reader.CompleteAsync();
            await writer.CompleteAsync();
        });
        return true;
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
