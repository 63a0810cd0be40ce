using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Waterspout;

namespace HttpFetch;

/// <summary>A small server, and the two ways to fetch a page from it; the second one over TLS, too.</summary>
internal static class Demo
{
    private static readonly byte[] s_delimiter = "\r\n\r\n"u8.ToArray();

    internal static void Run(IOLoop loop, Stream output)
    {
        (SslServerAuthenticationOptions serverTls, SslClientAuthenticationOptions clientTls) = Certificates.Make();
        TcpServer server = null!;
        TcpServer tlsServer = null!;
        loop.RunSync(async () =>
        {
            server = new TcpServer(ServeAsync);
            tlsServer = new TcpServer(ServeAsync, new TcpServerOptions { Ssl = serverTls });
        });
        IPEndPoint address = (IPEndPoint)server.Listen(0, "127.0.0.1");
        IPEndPoint tlsAddress = (IPEndPoint)tlsServer.Listen(0, "127.0.0.1");

        FetchWithCallbacks(loop, address, output);
        loop.Start(); // until the last callback stops it
        output.Write("\n"u8);
        loop.RunSync(async () =>
        {
            await using IOStream stream = await IOStream.ConnectAsync("127.0.0.1", address.Port);
            await FetchWithAwaitsAsync(stream, output);
        });
        output.Write("\n"u8);
        loop.RunSync(async () =>
        {
            await using SslIOStream stream = await SslIOStream.ConnectAsync("127.0.0.1", tlsAddress.Port, clientTls);
            await FetchWithAwaitsAsync(stream, output);
        });
        loop.RunSync(async () =>
        {
            await server.DisposeAsync();
            await tlsServer.DisposeAsync();
        });
    }

    /// <summary>As the reference's own example does it: each step is the callback of the one before.</summary>
    private static void FetchWithCallbacks(IOLoop loop, EndPoint address, Stream output)
    {
        IOStream stream = new(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp), loop: loop);
        stream.SetCloseCallback(loop.Stop);
        stream.Connect(address, SendRequest);

        void SendRequest()
        {
            stream.Write("GET /callbacks HTTP/1.0\r\nHost: localhost\r\n\r\n"u8);
            stream.ReadUntil(s_delimiter, OnHead);
        }

        void OnHead(byte[] head)
        {
            output.Write(head);
            stream.ReadBytes((int)HttpHead.Parse(head).ContentLength!, OnBody);
        }

        void OnBody(byte[] body)
        {
            output.Write(body);
            stream.Close();
        }
    }

    /// <summary>The same, straight on.</summary>
    private static async Task FetchWithAwaitsAsync(IOStream stream, Stream output)
    {
        await stream.WriteAsync("GET /awaits HTTP/1.0\r\nHost: localhost\r\n\r\n"u8);
        byte[] head = await stream.ReadUntilAsync(s_delimiter);
        output.Write(head);
        output.Write(await stream.ReadBytesAsync((int)HttpHead.Parse(head).ContentLength!));
    }

    private static async Task ServeAsync(IOStream stream)
    {
        string request = Encoding.Latin1.GetString(await stream.ReadUntilAsync(s_delimiter, maxBytes: 64 * 1024));
        string body = $"You asked for {request.Split(' ')[1]} over {(stream is SslIOStream ? "TLS" : "TCP")}.\n";
        await stream.WriteAsync(Encoding.Latin1.GetBytes($"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {body.Length}\r\n\r\n{body}"));
    }
}
