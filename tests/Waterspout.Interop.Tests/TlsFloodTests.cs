using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace Waterspout.Interop.Tests;

/// <summary>Clients that make a server compute, by OpenSSL, and how other clients of the same loop are served meanwhile.</summary>
public sealed class TlsFloodTests(ITestOutputHelper output)
{
    // A client that sends a number of key updates, or one-byte records, and reads nothing. Prints how many it could send.
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
    [InlineData("1", 30_000)] // one that requests the same in return; OpenSSL answers many of them with one, with the next data
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
        // When the flood had the loop for as long as it has bytes for a turn, there were fewer than twenty.
        Assert.True(pings > 200);
    });

    /// <remarks>With WATERSPOUT_FULL=1 in the environment 10,000 of them instead of 1,000.</remarks>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Hellos_and_resets_or_ends_leave_neither_work_nor_memory(bool resets) => TestLoop.Run(async () =>
    {
        int count = Environment.GetEnvironmentVariable("WATERSPOUT_FULL") == "1" ? 10_000 : 1000;
        using TlsFolder folder = new();
        await using TcpServer server = new(EchoAsync, new TcpServerOptions { Ssl = folder.ServerOptions() });
        IPEndPoint address = (IPEndPoint)server.Listen(0, "127.0.0.1");
        await EchoOnceAsync(address, folder); // initializes everything that is created once
        byte[] hello = Hello(folder);
        long before = Environment.WorkingSet;
        await Task.Run(() =>
        {
            for (int i = 0; i < count; i++)
            {
                using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.Connect(address);
                socket.Send(hello);
                if (resets) socket.LingerState = new LingerOption(true, 0);
            }
        });
        await EchoOnceAsync(address, folder);
        long grown = Environment.WorkingSet - before;
        output.WriteLine($"{grown >> 20} MiB, {server.ConnectionCount} connections left");
        Assert.True(grown < 50 << 20);
        while (server.ConnectionCount > 0) await Task.Yield();
    });

    private static async Task EchoOnceAsync(IPEndPoint address, TlsFolder folder)
    {
        await using SslIOStream stream = await SslIOStream.ConnectAsync("127.0.0.1", address.Port, folder.ClientOptions());
        await stream.WriteAsync("ping\n"u8);
        Assert.Equal(5, (await stream.ReadUntilAsync("\n"u8)).Length);
    }

    /// <summary>A ClientHello.</summary>
    private static byte[] Hello(TlsFolder folder)
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        TcpClient client = new();
        client.Connect((IPEndPoint)listener.LocalEndPoint!);
        using SslStream stream = new(client.GetStream());
        Task handshake = stream.AuthenticateAsClientAsync(folder.ClientOptions());
        byte[] hello = new byte[4096];
        using (Socket accepted = listener.Accept()) hello = hello[..accepted.Receive(hello)];
        Assert.ThrowsAny<Exception>(() => handshake.GetAwaiter().GetResult());
        return hello;
    }

    private static async Task EchoAsync(IOStream stream)
    {
        while (true) await stream.WriteAsync(await stream.ReadUntilAsync("\n"u8));
    }
}
