using System.Net;
using System.Net.Sockets;

namespace Waterspout.Tests;

/// <summary>A listening socket that accepts only on request of a test.</summary>
internal sealed class TestListener : IDisposable
{
    private readonly Socket _socket;

    internal TestListener(int backlog = 16, byte host = 1)
    {
        _socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _socket.Bind(new IPEndPoint(new IPAddress([127, 0, 0, host]), 0));
        _socket.Listen(backlog);
    }

    private TestListener(UnixDomainSocketEndPoint path, int backlog)
    {
        _socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _socket.Bind(path);
        _socket.Listen(backlog);
    }

    internal IPEndPoint EndPoint => (IPEndPoint)_socket.LocalEndPoint!;

    internal UnixDomainSocketEndPoint Path => (UnixDomainSocketEndPoint)_socket.LocalEndPoint!;

    public void Dispose() => _socket.Dispose();

    internal static TestListener OnPath(int backlog = 16) => new(NewPath(), backlog);

    internal static UnixDomainSocketEndPoint NewPath() =>
        new(System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"waterspout-{Guid.NewGuid():N}"));

    /// <summary>A port without a listener.</summary>
    internal static int UnusedPort()
    {
        using TestListener listener = new();
        return listener.EndPoint.Port;
    }

    internal Socket Accept() => _socket.Accept();

    internal Task<Socket> AcceptAsync() => _socket.AcceptAsync();

    /// <summary>Connects until the backlog is full, so that the next connect stays pending.</summary>
    internal List<Socket> FillBacklog()
    {
        List<Socket> fillers = [];
        while (true)
        {
            Socket filler = new(_socket.AddressFamily, SocketType.Stream, _socket.ProtocolType) { Blocking = false };
            try
            {
                filler.Connect(_socket.LocalEndPoint!);
                fillers.Add(filler);
            }
            catch (SocketException error) when (error.SocketErrorCode == SocketError.WouldBlock && filler.AddressFamily == AddressFamily.InterNetwork)
            {
                // On TCP every connect begins like this. On the loopback an accepted one is connected at once.
                fillers.Add(filler);
                if (!filler.Poll(TimeSpan.FromMilliseconds(50), SelectMode.SelectWrite)) return fillers;
            }
            catch (SocketException)
            {
                filler.Dispose();
                return fillers;
            }
        }
    }
}
