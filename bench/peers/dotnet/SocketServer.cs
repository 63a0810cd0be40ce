using System.Buffers;
using System.Net.Sockets;

namespace Waterspout.Bench.Peers;

/// <summary>Sockets with our own buffer: all lines of one receive are answered with one send.</summary>
internal sealed class SocketServer : IServer
{
    private const int BufferSize = 64 * 1024;

    private const int EchoBufferSize = 4096;

    private readonly List<Socket> _all = [];

    public bool Start(ServerOptions options)
    {
        Func<Socket, Task>? handler = options.Mode switch
        {
            "echo" => options.SavesMemory ? EchoSavingMemoryAsync : EchoAsync,
            "sink-lines" => CountLinesAsync,
            "sink-bulk" => socket => CountBytesAsync(socket, options.Size),
            "source-bulk" => socket => SendBytesAsync(socket, options.MakePattern()),
            "broadcast" => BroadcastAsync,
            _ => null,
        };
        if (handler is null || options.Tls is not null) return false;
        Acceptor.Listen(options, handler);
        return true;
    }

    private static async Task EchoAsync(Socket socket)
    {
        byte[] buffer = new byte[EchoBufferSize];
        int length = 0;
        while (await socket.ReceiveAsync(buffer.AsMemory(length)) is > 0 and var count)
        {
            int ready = FindLastLineEnd(buffer.AsSpan(0, length + count), length);
            length += count;
            if (ready > 0)
            {
                await SendAsync(socket, buffer.AsMemory(0, ready));
                length -= ready;
                buffer.AsSpan(ready, length).CopyTo(buffer);
            }
            else if (length == buffer.Length)
            {
                Array.Resize(ref buffer, 2 * length);
            }
        }
    }

    // Waits without a buffer, and has one only while there is something to answer. A partial line waits in the buffer.
    private static async Task EchoSavingMemoryAsync(Socket socket)
    {
        while (true)
        {
            await socket.ReceiveAsync(Memory<byte>.Empty);
            byte[] buffer = ArrayPool<byte>.Shared.Rent(EchoBufferSize);
            int length = 0;
            do
            {
                int count = await socket.ReceiveAsync(buffer.AsMemory(length));
                if (count == 0 || (length += count) == buffer.Length) return;
            }
            while (buffer[length - 1] != '\n');
            await SendAsync(socket, buffer.AsMemory(0, length));
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // Line by line, as a server would handle them.
    private static int FindLastLineEnd(ReadOnlySpan<byte> data, int from)
    {
        int end = 0;
        while (data[from..].IndexOf((byte)'\n') is >= 0 and var index) end = from = from + index + 1;
        return end;
    }

    private static async Task CountLinesAsync(Socket socket)
    {
        byte[] buffer = new byte[BufferSize];
        long lines = 0;
        int length = 0;
        while (await socket.ReceiveAsync(buffer.AsMemory(length)) is > 0 and var count)
        {
            length = CountLines(buffer.AsSpan(0, length + count), ref lines);
            if (length == buffer.Length) Array.Resize(ref buffer, 2 * length);
        }

        await SendAsync(socket, Answers.Number(lines));
    }

    // Moves what is left after the last line to the front.
    private static int CountLines(Span<byte> data, ref long lines)
    {
        ReadOnlySpan<byte> rest = data;
        while (rest.IndexOf((byte)'\n') is >= 0 and var index)
        {
            lines++;
            rest = rest[(index + 1)..];
        }

        rest.CopyTo(data);
        return rest.Length;
    }

    private static async Task CountBytesAsync(Socket socket, int size)
    {
        byte[] buffer = new byte[size];
        long bytes = 0;
        while (await socket.ReceiveAsync(buffer.AsMemory()) is > 0 and var count) bytes += count;
        await SendAsync(socket, Answers.Number(bytes));
    }

    private static async Task SendBytesAsync(Socket socket, byte[] pattern)
    {
        byte[] request = new byte[64];
        int length = await socket.ReceiveAsync(request.AsMemory());
        for (long left = Answers.Parse(request.AsSpan(0, length)); left > 0; left -= pattern.Length)
            await SendAsync(socket, pattern.AsMemory(0, (int)Math.Min(left, pattern.Length)));
    }

    private static async ValueTask SendAsync(Socket socket, ReadOnlyMemory<byte> data)
    {
        while (data.Length > 0) data = data[await socket.SendAsync(data)..];
    }

    private async Task BroadcastAsync(Socket socket)
    {
        lock (_all) _all.Add(socket);
        try
        {
            byte[] buffer = new byte[EchoBufferSize];
            while (await socket.ReceiveAsync(buffer.AsMemory()) is > 0 and var count) await SendToAllAsync(buffer.AsMemory(0, count));
        }
        finally
        {
            lock (_all) _all.Remove(socket);
        }
    }

    private async ValueTask SendToAllAsync(ReadOnlyMemory<byte> data)
    {
        Socket[] all;
        lock (_all) all = [.. _all];
        foreach (Socket other in all)
        {
            try
            {
                await SendAsync(other, data);
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                // That connection has closed, which its own handler notices.
            }
        }
    }
}
