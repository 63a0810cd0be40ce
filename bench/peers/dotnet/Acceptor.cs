using System.Net.Security;
using System.Net.Sockets;

namespace Waterspout.Bench.Peers;

/// <summary>The accept loop of the servers that are written on sockets.</summary>
internal static class Acceptor
{
    internal static void Listen(ServerOptions options, Func<Socket, Task> handler)
    {
        Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(options.EndPoint);
        listener.Listen(1024);
        _ = AcceptAsync(listener, handler);
    }

    /// <summary>The same for handlers that want a stream, over TLS where the options have a certificate.</summary>
    internal static void Listen(ServerOptions options, Func<Stream, Task> handler) => Listen(options, async socket =>
    {
        await using NetworkStream network = new(socket, ownsSocket: true);
        if (options.Tls is null)
        {
            await handler(network);
            return;
        }

        await using SslStream tls = new(network);
        await tls.AuthenticateAsServerAsync(options.Tls);
        await handler(tls);
    });

    private static async Task AcceptAsync(Socket listener, Func<Socket, Task> handler)
    {
        while (true)
        {
            Socket socket = await listener.AcceptAsync();
            socket.NoDelay = true;
            _ = RunAsync(socket, handler);
        }
    }

    private static async Task RunAsync(Socket socket, Func<Socket, Task> handler)
    {
        try
        {
            await handler(socket);
        }
        catch (Exception error) when (error is IOException or SocketException)
        {
            // The peer has closed.
        }
        finally
        {
            socket.Dispose();
        }
    }
}
