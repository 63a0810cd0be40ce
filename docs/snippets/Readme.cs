using System.Net;
using System.Text;
using Waterspout;

namespace Snippets;

internal static class Readme
{
    internal static void Main()
    {
        using IOLoop loop = new();
        loop.RunSync(async () =>
        {
            await using TcpServer server = new(async stream =>
            {
                // The read fails when the client sends EOF, which ends the handler. The client still gets every answer.
                while (true) await stream.WriteAsync(await stream.ReadUntilAsync("\n"u8, maxBytes: 4096));
            });
            IPEndPoint address = (IPEndPoint)server.Listen(0, "127.0.0.1");

            await using IOStream client = await IOStream.ConnectAsync("127.0.0.1", address.Port);
            for (int i = 0; i < 3; i++) await client.WriteAsync(Encoding.UTF8.GetBytes($"line {i}\n")); // one send for all three
            for (int i = 0; i < 3; i++) Console.Write(Encoding.UTF8.GetString(await client.ReadUntilAsync("\n"u8)));
        });
    }
}
