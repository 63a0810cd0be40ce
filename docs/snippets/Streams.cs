using System.IO.Compression;
using System.IO.Pipelines;
using Waterspout;

namespace Snippets;

internal static class Streams
{
    internal static async Task WrapStream(Stream network)
    {
        await using WrappedIOStream stream = new(new BrotliStream(network, CompressionMode.Decompress));
        byte[] line = await stream.ReadUntilAsync("\n"u8);
        Console.WriteLine(line.Length);
    }

    internal static async Task WrapPipe(IDuplexPipe connection)
    {
        await using WrappedIOStream stream = new(connection);
        await stream.WriteLineAsync("HELLO");
        string? answer = await stream.ReadLineAsync(maxBytes: 512);
        Console.WriteLine(answer);
    }
}
