using System.Net;
using System.Net.Sockets;
using System.Text;
using Waterspout;

namespace Snippets;

internal static class FromTornado
{
    internal static async Task Awaits(EndPoint address)
    {
        IOStream stream = new(new Socket(SocketType.Stream, ProtocolType.Tcp));
        await stream.ConnectAsync(address);
        await stream.WriteAsync("GET / HTTP/1.0\r\nHost: example.com\r\n\r\n"u8);
        byte[] head = await stream.ReadUntilAsync("\r\n\r\n"u8);
        byte[] body = await stream.ReadBytesAsync(ContentLength(head));
        stream.Close();
        Console.WriteLine(body.Length);
    }

    private static int ContentLength(byte[] head) =>
        int.Parse(Encoding.ASCII.GetString(head).Split("Content-Length:")[1].Split('\r')[0]);
}
