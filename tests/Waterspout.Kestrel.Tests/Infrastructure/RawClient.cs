using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Waterspout.Kestrel.Tests;

/// <summary>A client that decides about each byte and each close.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private string _received = "";

    private RawClient(Socket socket) => Socket = socket;

    internal Socket Socket { get; }

    internal static async Task<RawClient> ConnectAsync(EndPoint endPoint)
    {
        bool isUnix = endPoint is UnixDomainSocketEndPoint;
        Socket socket = new(endPoint.AddressFamily, SocketType.Stream, isUnix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        await socket.ConnectAsync(endPoint);
        return new RawClient(socket);
    }

    internal async Task SendAsync(string text) => await SendAsync(Encoding.Latin1.GetBytes(text));

    internal async Task SendAsync(ReadOnlyMemory<byte> data)
    {
        while (!data.IsEmpty) data = data[await Socket.SendAsync(data)..];
    }

    /// <summary>Receives up to and with a text.</summary>
    internal async Task<string> ReadUntilAsync(string end)
    {
        while (true)
        {
            int found = _received.IndexOf(end, StringComparison.Ordinal);
            if (found >= 0)
            {
                string taken = _received[..(found + end.Length)];
                _received = _received[taken.Length..];
                return taken;
            }

            int count = await Socket.ReceiveAsync(_buffer);
            if (count == 0) throw new EndOfStreamException($"The server has closed after: {_received}");
            _received += Encoding.Latin1.GetString(_buffer, 0, count);
        }
    }

    /// <summary>Receives up to the server's EOF.</summary>
    internal async Task<string> ReadToEndAsync()
    {
        StringBuilder all = new(_received);
        _received = "";
        for (int count; (count = await Socket.ReceiveAsync(_buffer)) > 0;) all.Append(Encoding.Latin1.GetString(_buffer, 0, count));
        return all.ToString();
    }

    /// <summary>Waits until the server has reset the connection.</summary>
    internal async Task<SocketError> ReadUntilErrorAsync()
    {
        try
        {
            await ReadToEndAsync();
            return SocketError.Success;
        }
        catch (SocketException error)
        {
            return error.SocketErrorCode;
        }
    }

    internal void SendEof() => Socket.Shutdown(SocketShutdown.Send);

    /// <summary>Closes with a reset instead of EOF.</summary>
    internal void Reset()
    {
        Socket.LingerState = new LingerOption(true, 0);
        Socket.Close();
    }

    public void Dispose() => Socket.Dispose();
}
