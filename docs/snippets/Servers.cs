using System.Net;
using System.Runtime.InteropServices;
using Waterspout;

namespace Snippets;

internal static class Servers
{
    internal static TcpServer LimitByAddress(Func<IOStream, CancellationToken, Task> handle)
    {
        AddressLimit limit = new(100);
        TcpServer server = new(handle, new TcpServerOptions { OnConnection = limit.Enter, OnConnectionEnd = limit.Leave });
        return server;
    }

    internal static TcpServer ConfigureSockets(Func<IOStream, CancellationToken, Task> handle)
    {
        TcpServer server = new(handle, new TcpServerOptions
        {
            ConfigureSocket = static socket => socket.ReceiveBufferSize = 1_000_000, // accepted sockets inherit it
            Stream = new IOStreamOptions
            {
                KeepAlive = new KeepAlive { Time = TimeSpan.FromSeconds(30) }, // the rest by default
                UserTimeout = TimeSpan.FromSeconds(20),
            },
        });
        return server;
    }
}

internal sealed class AddressLimit(int limit)
{
    private readonly Dictionary<IPAddress, int> _open = [];

    internal bool Enter(ConnectionRequest request)
    {
        lock (_open)
        {
            ref int count = ref CollectionsMarshal.GetValueRefOrAddDefault(_open, AddressOf(request), out _);
            if (count == limit) return false;
            count++;
            return true;
        }
    }

    internal void Leave(ConnectionRequest request)
    {
        lock (_open)
            if (--CollectionsMarshal.GetValueRefOrNullRef(_open, AddressOf(request)) == 0) _open.Remove(AddressOf(request));
    }

    private static IPAddress AddressOf(ConnectionRequest request) => (request.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None;
}
