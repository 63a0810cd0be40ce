using System.IO.Compression;
using System.IO.Pipelines;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
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

    internal static async Task StandardStreams()
    {
        await using PipeIOStream input = new(0);
        await using PipeIOStream output = new(1);
        while (await input.ReadLineAsync() is { } line) await output.WriteLineAsync(line.ToUpperInvariant());
    }

    internal static async Task SerialLine()
    {
        await using PipeIOStream modem = PipeIOStream.Open("/dev/ttyUSB0", FileAccess.ReadWrite, terminal: new TerminalOptions { Raw = true, Speed = 115_200 });
        await modem.WriteAsync("AT\r"u8);
        byte[] answer = await modem.ReadUntilRegexAsync("OK|ERROR", maxBytes: 1000, timeout: TimeSpan.FromSeconds(2));
        Console.WriteLine(answer.Length);
    }

    internal static async Task ReceiveHandles(uint allowedUser)
    {
        await using TcpServer server = new(async stream =>
        {
            if (stream.GetPeerCredentials().UserId != allowedUser) return;
            await using UnixIOStream client = new(stream); // before the first read: a plain stream drops handles
            string? name = await client.ReadLineAsync();
            if (!client.TryTakeHandle(out SafeFileHandle? handle)) return;
            await using PipeIOStream output = new(handle);
            await output.WriteLineAsync($"{name} may write here");
        });
    }

    internal static async Task SendHandle(string path, SafeHandle log)
    {
        await using UnixIOStream service = await UnixIOStream.ConnectAsync(path);
        await service.WriteAsync("a name\n"u8.ToArray(), [log]);
    }
}
