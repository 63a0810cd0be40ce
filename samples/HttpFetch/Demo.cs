using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Waterspout;

namespace HttpFetch;

/// <summary>A small server, and two ways to fetch a page from it: with callbacks, and with awaits, the latter over TLS too.</summary>
internal static class Demo
{
    private static readonly byte[] s_blankLine = "\r\n\r\n"u8.ToArray();

    internal static async Task RunAsync(Stream output)
    {
        (SslServerAuthenticationOptions serverTls, SslClientAuthenticationOptions clientTls) = Certificates.Make();
        await using TcpServer server = new(ServeAsync), tlsServer = new(ServeAsync, new TcpServerOptions { Ssl = serverTls });
        IPEndPoint address = (IPEndPoint)server.Listen(0, "127.0.0.1"), tlsAddress = (IPEndPoint)tlsServer.Listen(0, "127.0.0.1");

        await FetchWithCallbacks(address, output);
        await using IOStream stream = await IOStream.ConnectAsync("127.0.0.1", address.Port);
        await Http.GetAsync(stream, new Uri($"http://{address}/awaits"), output);
        await using SslIOStream tlsStream = await SslIOStream.ConnectAsync("127.0.0.1", tlsAddress.Port, clientTls);
        await Http.GetAsync(tlsStream, new Uri($"https://{tlsAddress}/awaits"), output);
    }

    /// <summary>As in Tornado's own example: each step is in the callback of the one before.</summary>
    private static Task FetchWithCallbacks(EndPoint address, Stream output)
    {
        TaskCompletionSource closed = new();
        IOStream stream = new(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        stream.SetCloseCallback(closed.SetResult);
        stream.Connect(address, () =>
        {
            stream.Write("GET /callbacks HTTP/1.0\r\nHost: localhost\r\n\r\n"u8);
            stream.ReadUntil(s_blankLine, head =>
            {
                output.Write(head);
                stream.ReadBytes((int)HttpHead.Parse(head).ContentLength!, body =>
                {
                    output.Write(body);
                    stream.Close();
                });
            });
        });
        return closed.Task;
    }

    private static async Task ServeAsync(IOStream stream)
    {
        string request = Encoding.Latin1.GetString(await stream.ReadUntilAsync(s_blankLine, maxBytes: 64 * 1024));
        string body = $"You asked for {request.Split(' ')[1]} over {(stream is SslIOStream ? "TLS" : "TCP")}.\n\n";
        await stream.WriteAsync(Encoding.Latin1.GetBytes($"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {body.Length}\r\n\r\n{body}"));
    }
}
