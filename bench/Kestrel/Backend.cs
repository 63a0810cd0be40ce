using System.Collections.Concurrent;
using System.Net;

namespace Waterspout.Bench.Kestrel;

/// <summary>A server of lines in the same process, and clients of it that handlers block on. The same with every transport.</summary>
internal sealed class Backend : IAsyncDisposable
{
    private readonly ConcurrentBag<IOStream> _idle = [];
    private readonly TcpServer _server = new(static async stream =>
    {
        while (await stream.ReadLineAsync() is { } line) await stream.WriteLineAsync(line);
    });

    private readonly IPEndPoint _address;

    internal Backend() => _address = (IPEndPoint)_server.Listen(new IPEndPoint(IPAddress.Loopback, 0));

    /// <summary>As code does that cannot await.</summary>
    internal void Ask()
    {
        if (!_idle.TryTake(out IOStream? client)) client = IOStream.ConnectAsync("127.0.0.1", _address.Port).AsTask().Result;
        client.WriteLineAsync("ping").AsTask().Wait();
        _ = client.ReadLineAsync().AsTask().Result;
        _idle.Add(client);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
