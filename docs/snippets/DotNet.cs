using System.Buffers;
using System.IO.Pipelines;
using System.Net.Security;
using Waterspout;

namespace Snippets;

internal static class DotNet
{
    internal static async Task<string> FetchAsync(string address)
    {
        using HttpClient client = new(new SocketsHttpHandler().UseWaterspout());
        return await client.GetStringAsync(address);
    }

    internal static async Task<string?> ReadLine(IOStream connected)
    {
        await using Stream stream = connected.AsStream();
        using StreamReader reader = new(stream);
        return await reader.ReadLineAsync();
    }

    internal static async Task<SslStream> Secure(IOStream connected, string host)
    {
        SslStream secure = new(connected.AsStream());
        await secure.AuthenticateAsClientAsync(host);
        return secure;
    }

    internal static async Task EchoLines(IOStream connected)
    {
        IDuplexPipe pipe = connected.AsDuplexPipe();
        while (true)
        {
            ReadResult result = await pipe.Input.ReadAsync();
            ReadOnlySequence<byte> data = result.Buffer;
            while (data.PositionOf((byte)'\n') is { } end)
            {
                SequencePosition next = data.GetPosition(1, end);
                foreach (ReadOnlyMemory<byte> piece in data.Slice(0, next)) pipe.Output.Write(piece.Span);
                data = data.Slice(next);
            }

            pipe.Input.AdvanceTo(data.Start, data.End);
            await pipe.Output.FlushAsync();
            if (result.IsCompleted) break;
        }

        await pipe.Input.CompleteAsync();
        await pipe.Output.CompleteAsync(); // sends what is left, then the end
    }
}
