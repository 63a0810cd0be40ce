using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace Waterspout.Interop.Tests;

/// <summary>Clients that make a server compute, by OpenSSL, and how other clients of the same loop are served meanwhile.</summary>
[Collection(Alone.Name)] // memory is that of the process, and its other threads would hold up the pings
public sealed class TlsFloodTests(ITestOutputHelper output)
{
    /// <summary>What a client does that has said hello.</summary>
    public enum Afterwards
    {
        Reset,
        End,
        Silence,
    }

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

    // The same with records that hold nothing, made by hand: OpenSSL neither sends them nor takes more than 32 of them in a row, so between them
    // come some that hold a byte. Ends when the echo of those is there.
    private const string EmptyRecords = """
        import ctypes, hashlib, hmac, os, socket, ssl, struct, sys, tempfile
        port, count = int(sys.argv[1]), int(sys.argv[3])
        C, V, I = ctypes.CDLL('libcrypto.so.3'), ctypes.c_void_p, ctypes.c_int
        for f in 'EVP_CIPHER_CTX_new EVP_aes_128_gcm EVP_aes_256_gcm'.split(): getattr(C, f).restype = V
        C.EVP_EncryptInit_ex.argtypes = [V, V, V, ctypes.c_char_p, ctypes.c_char_p]
        C.EVP_EncryptUpdate.argtypes = [V, ctypes.c_char_p, ctypes.POINTER(I), ctypes.c_char_p, I]
        C.EVP_CIPHER_CTX_ctrl.argtypes = [V, I, I, ctypes.c_char_p]
        C.EVP_EncryptFinal_ex.argtypes = [V, ctypes.c_char_p, ctypes.POINTER(I)]
        with tempfile.NamedTemporaryFile() as log:
            c = ssl._create_unverified_context()
            c.minimum_version = ssl.TLSVersion.TLSv1_3
            c.keylog_filename = log.name
            s = c.wrap_socket(socket.create_connection(('127.0.0.1', port)))
            secret = [bytes.fromhex(l.split()[2]) for l in open(log.name) if l.startswith('CLIENT_TRAFFIC_SECRET_0')][0]
        hash = hashlib.sha384 if len(secret) == 48 else hashlib.sha256
        size = 32 if len(secret) == 48 else 16
        def expand(label, n): # HKDF-Expand-Label of RFC 8446, 7.1
            label = b'tls13 ' + label
            return hmac.new(secret, struct.pack('>HB', n, len(label)) + label + b'\0\1', hash).digest()[:n]
        key, iv = expand(b'key', size), int.from_bytes(expand(b'iv', 12), 'big')
        x = C.EVP_CIPHER_CTX_new()
        assert C.EVP_EncryptInit_ex(x, C.EVP_aes_256_gcm() if size == 32 else C.EVP_aes_128_gcm(), None, key, None) == 1
        out, n = ctypes.create_string_buffer(100), I()
        def record(i, data):
            head = b'\x17\x03\x03' + struct.pack('>H', len(data) + 17)
            C.EVP_EncryptInit_ex(x, None, None, None, (iv ^ i).to_bytes(12, 'big'))
            C.EVP_EncryptUpdate(x, None, n, head, 5)
            C.EVP_EncryptUpdate(x, out, n, data + b'\x17', len(data) + 1)
            body = out.raw[:n.value]
            C.EVP_EncryptFinal_ex(x, out, n)
            C.EVP_CIPHER_CTX_ctrl(x, 16, 16, out) # the tag
            return head + body + out.raw[:16]
        flood = [record(i, b'' if i % 32 else b'x') for i in range(count)] + [record(count, b'\n')]
        print('begun', flush=True)
        fd = socket.socket(fileno=os.dup(s.fileno()))
        rest = memoryview(b''.join(flood))
        fd.setblocking(False)
        try:
            while rest: rest = rest[fd.send(rest):]
        except BlockingIOError: pass
        print('full', flush=True)
        fd.setblocking(True)
        fd.sendall(rest)
        left = count // 32 # bytes of the echo
        while left > 0:
            got = len(fd.recv(65536))
            if not got: break
            left -= got
        print(count if left <= 0 else left, flush=True)
        """;

    [Theory]
    [InlineData("0", 30_000)] // a key update
    [InlineData("1", 30_000)] // one that requests the same in return; OpenSSL answers many of them with one, with the next data
    [InlineData("byte", 200_000)]
    [InlineData("empty", 100_000)]
    public void Another_connection_of_the_loop_is_served_during_a_flood_of(string record, int count) => TestLoop.Run(async () =>
    {
        string python = Tool.Require("python3");
        using TlsFolder folder = new();
        await using TcpServer server = new(EchoAsync, new TcpServerOptions { Ssl = folder.ServerOptions() });
        int port = ((IPEndPoint)server.Listen(0, "127.0.0.1")).Port;
        await using SslIOStream other = await SslIOStream.ConnectAsync("127.0.0.1", port, folder.ClientOptions());
        using Child flood = Child.Start(python, "-c", record == "empty" ? EmptyRecords : Flood, $"{port}", record, $"{count}");
        Assert.Equal("begun", await flood.ReadLineAsync());
        // With the kernel, all that it takes, before the loop sees any of it: made record by record a flood is as slow as its program.
        if (record == "empty") Assert.Equal("full", ReadLineNow(flood));
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
    [InlineData(Afterwards.Reset)]
    [InlineData(Afterwards.End)]
    [InlineData(Afterwards.Silence)]
    public void Hellos_leave_neither_work_nor_memory_whatever_comes_afterwards(Afterwards afterwards) => TestLoop.Run(async () =>
    {
        int count = Environment.GetEnvironmentVariable("WATERSPOUT_FULL") == "1" ? 10_000 : 1000;
        using TlsFolder folder = new();
        await using TcpServer server = new(EchoAsync, new TcpServerOptions { Ssl = folder.ServerOptions() });
        IPEndPoint address = (IPEndPoint)server.Listen(0, "127.0.0.1");
        await EchoOnceAsync(address, folder); // initializes everything that is created once
        byte[] hello = Hello(folder);
        List<Socket> held = [];
        long before = Environment.WorkingSet;
        await Task.Run(() =>
        {
            for (int i = 0; i < count; i++)
            {
                Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.Connect(address);
                socket.Send(hello);
                if (afterwards == Afterwards.Reset) socket.LingerState = new LingerOption(true, 0);
                if (afterwards == Afterwards.Silence) held.Add(socket);
                else socket.Dispose();
            }
        });
        long begun = Stopwatch.GetTimestamp();
        await EchoOnceAsync(address, folder);
        TimeSpan served = Stopwatch.GetElapsedTime(begun);
        long grown = Environment.WorkingSet - before;
        output.WriteLine($"{grown >> 20} MiB, {server.ConnectionCount} connections left, the next one served in {served.TotalMilliseconds:f0} ms");
        // Of those that only say hello the sockets are held too, theirs and the server's.
        Assert.True(afterwards == Afterwards.Silence || grown < 50 << 20);
        foreach (Socket socket in held) socket.Dispose();
        while (server.ConnectionCount > 0) await Task.Yield();
    });

    private static string? ReadLineNow(Child child) => Task.Run(child.ReadLineAsync).GetAwaiter().GetResult();

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
