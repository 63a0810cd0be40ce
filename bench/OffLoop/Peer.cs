using System.Net;
using System.Net.Sockets;

namespace Waterspout.Bench.OffLoop;

/// <summary>
/// A blocking server for one connection. Its client's first line is <c>lines</c>, which is answered with 100,000 lines, or <c>echo</c>, after
/// which everything comes back.
/// </summary>
internal sealed class Peer : IDisposable
{
    internal const int LineCount = 100_000;

    private static readonly byte[] s_lines =
        [.. Enumerable.Range(0, LineCount).SelectMany(i => System.Text.Encoding.ASCII.GetBytes($"line {i} of many\n"))];

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Thread _thread;

    internal Peer()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _thread = new Thread(Serve);
        _thread.Start();
    }

    internal Socket Connect()
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(_listener.LocalEndPoint!);
        return socket;
    }

    public void Dispose()
    {
        _thread.Join();
        _listener.Dispose();
    }

    private void Serve()
    {
        using Socket socket = _listener.Accept();
        socket.NoDelay = true;
        byte[] buffer = new byte[64 * 1024];
        int count = socket.Receive(buffer.AsSpan(0, 6));
        if (buffer.AsSpan(0, count).SequenceEqual("lines\n"u8))
        {
            socket.Send(s_lines);
            return;
        }

        while ((count = socket.Receive(buffer)) > 0) socket.Send(buffer.AsSpan(0, count));
    }
}
