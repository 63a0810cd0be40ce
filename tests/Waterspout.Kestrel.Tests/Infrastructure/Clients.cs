using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Waterspout.Kestrel.Tests;

/// <summary>Clients that ask properly, and clients that leave at any point.</summary>
internal sealed class Clients(ServerProcess server, Random random)
{
    private const string Head = " HTTP/1.1\r\nHost: localhost\r\n";

    private delegate Task Way(Stream stream, Socket socket);

    /// <summary>One connection, which ends in one of many ways. An answer that comes must be the right one.</summary>
    internal async Task RunOneAsync()
    {
        bool isSecure = random.Next(4) == 0;
        Way[] ways =
            [AskAsync, AskAsync, UploadAsync, LeaveAtOnceAsync, LeaveInRequestAsync, LeaveBeforeAnswerAsync, LeaveInAnswerAsync, LeaveInBodyAsync, LeaveWaitingAsync, EchoAsync];
        Way way = ways[random.Next(ways.Length)];
        bool resets = random.Next(2) == 0;
        using Socket socket = await server.ConnectAsync(isSecure);
        await using Stream stream = await ServerProcess.OpenAsync(socket, isSecure);
        try
        {
            await way(stream, socket).InTime();
        }
        catch (Exception error)
        {
            throw new InvalidOperationException($"{way.Method.Name}, {(isSecure ? "with" : "without")} TLS", error);
        }

        if (resets) socket.LingerState = new LingerOption(true, 0);
        // With the socket first, TLS sends no alert.
        socket.Close();
    }

    private async Task AskAsync(Stream stream, Socket socket)
    {
        for (int i = random.Next(1, 5); i > 0; i--)
        {
            await SendAsync(stream, $"GET /text{Head}\r\n");
            await ReadUntilAsync(stream, "<Hello>");
        }
    }

    private async Task UploadAsync(Stream stream, Socket socket)
    {
        byte[] data = new byte[random.Next(1, 300_000)];
        random.NextBytes(data);
        await SendAsync(stream, $"POST /hash{Head}Content-Length: {data.Length}\r\n\r\n");
        await stream.WriteAsync(data);
        await ReadUntilAsync(stream, $"<{Convert.ToHexString(SHA256.HashData(data))}>");
    }

    private static Task LeaveAtOnceAsync(Stream stream, Socket socket) => Task.CompletedTask;

    private async Task LeaveInRequestAsync(Stream stream, Socket socket)
    {
        string request = $"GET /text{Head}\r\n";
        await SendAsync(stream, request[..random.Next(1, request.Length)]);
    }

    private static Task LeaveBeforeAnswerAsync(Stream stream, Socket socket) => SendAsync(stream, $"GET /text{Head}\r\nGET /large{Head}\r\n");

    private async Task LeaveInAnswerAsync(Stream stream, Socket socket)
    {
        await SendAsync(stream, $"GET /large{Head}\r\n");
        await stream.ReadAtLeastAsync(new byte[500_000], random.Next(1, 500_000));
    }

    private async Task LeaveInBodyAsync(Stream stream, Socket socket)
    {
        await SendAsync(stream, $"POST /hash{Head}Content-Length: 300000\r\n\r\n");
        await stream.WriteAsync(new byte[random.Next(0, 299_999)]);
    }

    private async Task LeaveWaitingAsync(Stream stream, Socket socket)
    {
        await SendAsync(stream, $"GET /wait{Head}\r\n");
        await ReadUntilAsync(stream, "\r\n\r\n");
        if (random.Next(2) == 0) socket.Shutdown(SocketShutdown.Send);
    }

    private async Task EchoAsync(Stream stream, Socket socket)
    {
        await SendAsync(stream, $"GET /echo{Head}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
        await ReadUntilAsync(stream, "\r\n\r\n");
        // A text of five letters, with a mask of zeros.
        await SendAsync(stream, "\x81\x85\0\0\0\0hello");
        await ReadUntilAsync(stream, "\x81\x05hello");
    }

    private static Task SendAsync(Stream stream, string text) => stream.WriteAsync(Encoding.Latin1.GetBytes(text)).AsTask();

    private static async Task ReadUntilAsync(Stream stream, string end)
    {
        StringBuilder received = new();
        byte[] buffer = new byte[4096];
        while (!received.ToString().EndsWith(end, StringComparison.Ordinal))
        {
            int count = await stream.ReadAsync(buffer);
            if (count == 0) throw new EndOfStreamException($"Expected {end} and got: {received}");
            received.Append(Encoding.Latin1.GetString(buffer, 0, count));
        }
    }
}
