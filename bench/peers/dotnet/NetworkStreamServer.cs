using System.Buffers;

namespace Waterspout.Bench.Peers;

/// <summary>NetworkStream, or SslStream on one, with our own buffer.</summary>
internal sealed class NetworkStreamServer : IServer
{
    public bool Start(ServerOptions options)
    {
        Func<Stream, Task>? handler = options.Mode switch
        {
            "echo" => stream => EchoAsync(stream, options.SavesMemory),
            "sink-bulk" => stream => CountBytesAsync(stream, options.Size),
            "source-bulk" => stream => SendBytesAsync(stream, options.MakePattern()),
            _ => null,
        };
        if (handler is not null) Acceptor.Listen(options, handler);
        return handler is not null;
    }

    private static async Task EchoAsync(Stream stream, bool savesMemory)
    {
        byte[] buffer = savesMemory ? [] : new byte[4096];
        int length = 0;
        while (true)
        {
            // A zero-byte read waits without a buffer, of ours or of a TLS stream's.
            if (savesMemory && length == 0)
            {
                if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
                buffer = [];
                _ = await stream.ReadAsync(Memory<byte>.Empty);
                buffer = ArrayPool<byte>.Shared.Rent(4096);
            }

            int count = await stream.ReadAsync(buffer.AsMemory(length));
            if (count == 0) return;
            length += count;
            int ready = buffer.AsSpan(0, length).LastIndexOf((byte)'\n') + 1;
            if (ready == 0 && length == buffer.Length) Array.Resize(ref buffer, 2 * length);
            if (ready == 0) continue;
            await stream.WriteAsync(buffer.AsMemory(0, ready));
            length -= ready;
            buffer.AsSpan(ready, length).CopyTo(buffer);
        }
    }

    private static async Task CountBytesAsync(Stream stream, int size)
    {
        byte[] buffer = new byte[size];
        long bytes = 0;
        while (await stream.ReadAsync(buffer) is > 0 and var count) bytes += count;
        await stream.WriteAsync(Answers.Number(bytes));
    }

    private static async Task SendBytesAsync(Stream stream, byte[] pattern)
    {
        byte[] request = new byte[64];
        int length = await stream.ReadAsync(request);
        for (long left = Answers.Parse(request.AsSpan(0, length)); left > 0; left -= pattern.Length)
            await stream.WriteAsync(pattern.AsMemory(0, (int)Math.Min(left, pattern.Length)));
    }
}
