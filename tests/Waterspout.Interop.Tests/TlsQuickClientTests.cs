using System.Text;

namespace Waterspout.Interop.Tests;

/// <summary>Python's TLS clients, which connect, send, and leave without close_notify.</summary>
public sealed class TlsQuickClientTests
{
    private const string Clients =
        """
        import socket, ssl, sys
        for i in range(100):
            with ssl._create_unverified_context().wrap_socket(socket.create_connection(('127.0.0.1', int(sys.argv[1])))) as client:
                client.sendall(b'%03d ' % i + b'all is done')
        """;

    [Fact]
    public void All_that_they_sent_is_read() => TestLoop.Run(async () =>
    {
        using TlsFolder folder = new();
        SortedSet<string> received = [];
        TaskCompletionSource all = new();
        await using TcpServer server = new(async stream =>
        {
            received.Add(Encoding.ASCII.GetString(await stream.ReadUntilAsync("done"u8)));
            if (received.Count == 100) all.SetResult();
        }, new TcpServerOptions { Ssl = folder.ServerOptions() });
        int port = ((System.Net.IPEndPoint)server.Listen(0, "127.0.0.1")).Port;
        Child.Outcome outcome = await Child.RunAsync(Tool.Require("python3"), "-c", Clients, $"{port}");
        Assert.Equal("", outcome.Errors);
        await all.Task;
        Assert.Equal(Enumerable.Range(0, 100).Select(static i => $"{i:000} all is done"), received);
    });
}
