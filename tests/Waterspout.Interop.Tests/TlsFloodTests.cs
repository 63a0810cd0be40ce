using System.Net;

namespace Waterspout.Interop.Tests;

/// <summary>Clients that make a server compute, by OpenSSL, and how others of the same loop are served meanwhile.</summary>
public sealed class TlsFloodTests(ITestOutputHelper output)
{
    // A client that sends so many key updates, or records of a byte, and reads nothing. Says how many it could send.
    private const string Flood = """
        import ctypes, signal, socket, sys
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        L, V, I = ctypes.CDLL('libssl.so.3'), ctypes.c_void_p, ctypes.c_int
        for f in 'TLS_client_method SSL_CTX_new SSL_new'.split(): getattr(L, f).restype = V
        L.SSL_CTX_new.argtypes = L.SSL_new.argtypes = L.SSL_connect.argtypes = L.SSL_do_handshake.argtypes = [V]
        L.SSL_set_fd.argtypes = L.SSL_key_update.argtypes = [V, I]
        L.SSL_write.argtypes = [V, ctypes.c_char_p, I]
        port, what, count = sys.argv[1:]
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(('127.0.0.1', int(port)))
        ssl = L.SSL_new(L.SSL_CTX_new(L.TLS_client_method()))
        L.SSL_set_fd(ssl, s.fileno())
        assert L.SSL_connect(ssl) == 1
        print('begun', flush=True)
        sent = 0
        for i in range(int(count)):
            if what == 'byte': done = L.SSL_write(ssl, b'x', 1)
            else:
                L.SSL_key_update(ssl, int(what))
                done = L.SSL_do_handshake(ssl)
            if done != 1: break
            sent += 1
        print(sent, flush=True)
        """;

    [Theory]
    [InlineData("0", 30_000)] // a key update
    [InlineData("1", 30_000)] // one that asks for the same in return; OpenSSL answers many of them by one, with the next data
    [InlineData("byte", 200_000)]
    public void Another_connection_of_the_loop_is_served_during_a_flood_of(string record, int count) => TestLoop.Run(async () =>
    {
        string python = Tool.Require("python3");
        using TlsFolder folder = new();
        await using TcpServer server = new(EchoAsync, new TcpServerOptions { Ssl = folder.ServerOptions() });
        int port = ((IPEndPoint)server.Listen(0, "127.0.0.1")).Port;
        await using SslIOStream other = await SslIOStream.ConnectAsync("127.0.0.1", port, folder.ClientOptions());
        using Child flood = Child.Start(python, "-c", Flood, $"{port}", record, $"{count}");
        Assert.Equal("begun", await flood.ReadLineAsync());
        Task<string?> end = flood.ReadLineAsync();
        int pings = 0;
        while (!end.IsCompleted)
        {
            await other.WriteAsync("ping\n"u8);
            Assert.Equal(5, (await other.ReadUntilAsync("\n"u8)).Length);
            pings++;
        }

        Assert.Equal($"{count}", await end);
        output.WriteLine($"{pings} pings");
        // Where the flood had the loop for as long as it has bytes for a turn, there were fewer than twenty.
        Assert.True(pings > 200);
    });

    private static async Task EchoAsync(IOStream stream)
    {
        while (true) await stream.WriteAsync(await stream.ReadUntilAsync("\n"u8));
    }
}
