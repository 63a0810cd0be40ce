using System.Net;
using System.Net.Sockets;

namespace Waterspout.Interop.Tests;

/// <summary>A server for one connection, which gives a prepared answer to any request, and closes.</summary>
internal sealed class CannedServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    internal CannedServer(byte[] answer, bool endsWithReset = false)
    {
        _listener.Start();
        Served = ServeAsync(answer, endsWithReset);
    }

    internal string Url => $"http://{_listener.LocalEndpoint}/page?q=1";

    /// <summary>The received request.</summary>
    internal Task<string> Served { get; }

    public void Dispose() => _listener.Dispose();

    private async Task<string> ServeAsync(byte[] answer, bool endsWithReset)
    {
        using Socket socket = await _listener.AcceptSocketAsync();
        await using NetworkStream stream = new(socket);
        using StreamReader reader = new(stream, leaveOpen: true);
        List<string> request = [];
        while (await reader.ReadLineAsync() is { Length: > 0 } line) request.Add(line);
        await stream.WriteAsync(answer);
        if (endsWithReset) socket.LingerState = new LingerOption(enable: true, seconds: 0);
        return string.Join('\n', request);
    }
}
