using System.Net;
using System.Net.Sockets;

namespace Waterspout.Tests.Tls;

/// <summary>The server that a certificate names for its issuer. Counts requests, and answers none.</summary>
public sealed class IssuerServer : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Thread _thread;
    private volatile int _requests;

    public IssuerServer()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        Address = $"http://{_listener.LocalEndPoint}/issuer.crt";
        // Its own thread: a request may block the loop and the pool meanwhile.
        _thread = new Thread(Serve) { IsBackground = true };
        _thread.Start();
    }

    public string Address { get; }

    public int Requests => _requests;

    public void Dispose()
    {
        // Ends a blocked accept, which closing alone would not.
        _listener.Shutdown(SocketShutdown.Both);
        _thread.Join();
        _listener.Dispose();
    }

    private void Serve()
    {
        while (true)
        {
            try
            {
                using Socket client = _listener.Accept();
                _requests++;
                client.Receive(new byte[4096]);
                client.Send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8);
            }
            catch (SocketException)
            {
                return;
            }
        }
    }
}
