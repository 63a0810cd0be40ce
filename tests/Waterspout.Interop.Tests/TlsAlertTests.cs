using System.Net;
using System.Text;

namespace Waterspout.Interop.Tests;

/// <summary>A fatal alert of OpenSSL's that arrives together with data.</summary>
public sealed class TlsAlertTests
{
    // A client that finds a bad record, here one of its own making, has a fatal alert to send. It leaves in one piece with the data in front of it.
    private const string Client =
        """
        import socket, ssl, sys
        port, version = sys.argv[1:]
        context = ssl._create_unverified_context()
        context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, version)
        s = socket.create_connection(('127.0.0.1', int(port)))
        received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(received, sent)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                s.sendall(sent.read())
                received.write(s.recv(65536))
        s.sendall(sent.read())
        tls.write(b'one\n')
        tls.write(b'two\n')
        length = sent.pending
        received.write(b'\x17\x03\x03\x00\x20' + bytes(32))
        try:
            while True: tls.read(65536)
        except ssl.SSLWantReadError: raise
        except ssl.SSLError: pass
        assert sent.pending > length
        s.sendall(sent.read())
        while s.recv(65536): pass
        """;

    [Theory]
    [InlineData("TLSv1_2")]
    [InlineData("TLSv1_3")]
    public void What_arrives_in_front_of_it_is_read_before_the_error(string version) => TestLoop.Run(async () =>
    {
        using TlsFolder folder = new();
        TaskCompletionSource<(string Lines, CloseReason Reason)> outcome = new();
        await using TcpServer server = new(async stream =>
        {
            string lines = Encoding.ASCII.GetString(await stream.ReadUntilAsync("\n"u8)) + Encoding.ASCII.GetString(await stream.ReadUntilAsync("\n"u8));
            StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(() => stream.ReadUntilAsync("\n"u8).AsTask());
            outcome.SetResult((lines, error.Reason));
        }, new TcpServerOptions { Ssl = folder.ServerOptions() });
        int port = ((IPEndPoint)server.Listen(0, "127.0.0.1")).Port;
        Child.Outcome child = await Child.RunAsync(Tool.Require("python3"), "-c", Client, $"{port}", version);
        Assert.Equal("", child.Errors);
        Assert.Equal(("one\ntwo\n", CloseReason.Error), await outcome.Task.WaitAsync(TimeSpan.FromSeconds(20)));
    });
}
