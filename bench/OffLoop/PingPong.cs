using System.Net.Sockets;
using System.Text;

namespace Waterspout.Bench.OffLoop;

/// <summary>Sends a line and waits for it, again and again.</summary>
internal static class PingPong
{
    private const int Count = 5_000;

    internal static async Task StreamReaderAsync(Socket socket)
    {
        socket.Send("echo\n\n"u8);
        await using NetworkStream stream = new(socket, ownsSocket: true);
        using StreamReader reader = new(stream, Encoding.ASCII);
        for (int i = 0; i < Count; i++)
        {
            await stream.WriteAsync("ping\n"u8.ToArray());
            await reader.ReadLineAsync();
        }
    }

    internal static async Task RunAsync(ILink link)
    {
        await link.BeginAsync();
        for (int i = 0; i < Count; i++)
        {
            await link.WriteAsync("ping\n"u8.ToArray());
            await link.ReadLineAsync();
        }

        await link.EndAsync();
    }

    internal static async Task SwitchedAsync(Socket socket)
    {
        await IOLoop.Default.SwitchTo();
        await RunAsync(new StreamLink(socket));
    }
}
