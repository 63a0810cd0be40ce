using System.Net;
using System.Net.Sockets;
using Waterspout.Interop;

namespace Waterspout.Tests.Tls;

/// <summary>Two connected sockets, for any kind of stream.</summary>
public static class SocketPair
{
    public static (Socket Left, Socket Right) Unix()
    {
        (Descriptor left, Descriptor right) = Sockets.CreatePair();
        return (new Socket(left.ToSocketHandle()), new Socket(right.ToSocketHandle()));
    }

    /// <summary>A connection over the loopback interface, with buffers in the kernel that grow.</summary>
    public static (Socket Left, Socket Right) Tcp() => Connect(null);

    /// <summary>A connection over the loopback interface, with buffers in the kernel of a fixed size.</summary>
    public static (Socket Left, Socket Right) TcpWithBuffers(int size) => Connect(size);

    private static (Socket Left, Socket Right) Connect(int? bufferSize)
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        if (bufferSize is { } accepted) SetBuffers(listener, accepted); // which the accepted one inherits
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        Socket left = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (bufferSize is { } size) SetBuffers(left, size);
        left.Connect(listener.LocalEndPoint!);
        Socket right = listener.Accept();
        right.NoDelay = true;
        return (left, right);
    }

    private static void SetBuffers(Socket socket, int size) => (socket.ReceiveBufferSize, socket.SendBufferSize) = (size, size);
}
