using System.Net;
using System.Net.Sockets;
using Waterspout.Interop;

namespace Waterspout.Tests.Tls;

/// <summary>Two connected sockets, for streams of whatever kind.</summary>
public static class SocketPair
{
    public static (Socket Left, Socket Right) Unix()
    {
        (int left, int right) = Sockets.CreatePair();
        return (new Socket(new SafeSocketHandle(left, ownsHandle: true)), new Socket(new SafeSocketHandle(right, ownsHandle: true)));
    }

    public static (Socket Left, Socket Right) Tcp()
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        Socket left = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        left.Connect(listener.LocalEndPoint!);
        Socket right = listener.Accept();
        right.NoDelay = true;
        return (left, right);
    }
}
