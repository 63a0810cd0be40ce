using System.Net;
using System.Net.Sockets;

namespace Waterspout.Tests;

/// <summary>TCP over the loopback interface.</summary>
public class TcpTransport : Transport
{
    public override Task<(BaseIOStream Left, BaseIOStream Right)> ConnectAsync(IOStreamOptions? options)
    {
        (Socket left, Socket right) = ConnectSockets();
        return Task.FromResult<(BaseIOStream, BaseIOStream)>((MakeStream(left, options), MakeStream(right, options)));
    }

    protected virtual IOStream MakeStream(Socket socket, IOStreamOptions? options) => new(socket, options);

    protected virtual void Prepare(Socket socket) => socket.NoDelay = true;

    private (Socket Left, Socket Right) ConnectSockets()
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        Socket left = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        left.Connect(listener.LocalEndPoint!);
        Socket right = listener.Accept();
        Prepare(left);
        Prepare(right);
        return (left, right);
    }
}
