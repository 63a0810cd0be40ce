using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Waterspout.Interop.Tests;

/// <summary>Clients that make a server compute, by OpenSSL, and how other clients of the same loop are served meanwhile.</summary>
[Collection(Alone.Name)] // memory is that of the process, and its other threads would hold up the pings
public sealed class TlsFloodTests(ITestOutputHelper output)
{
    private const int Batch = 1000;

    /// <summary>What a client does that has said hello.</summary>
    public enum Afterwards
    {
        Reset,
        End,
        Silence,
    }

    [Theory]
    [InlineData("0", "1.3", 6_000)] // a key update
    [InlineData("1", "1.3", 6_000)] // one that requests the same in return; OpenSSL answers many of them with one, with the next data
    [InlineData("byte", "1.3", 50_000)]
    [InlineData("byte", "1.2", 50_000)]
    [InlineData("empty", "1.3", 50_000)]
    [InlineData("empty", "1.2", 50_000)]
    public void Another_connection_of_the_loop_is_served_during_a_flood_of(string record, string version, int count) => TestLoop.Run(async () =>
    {
        string python = Tool.Require("python3");
        using TlsFolder folder = new();
        await using TcpServer server = new(EchoAsync, new TcpServerOptions { Ssl = folder.ServerOptions() });
        int port = ((IPEndPoint)server.Listen(0, "127.0.0.1")).Port;
        await using SslIOStream other = await SslIOStream.ConnectAsync("127.0.0.1", port, folder.ClientOptions());
        List<double> before = [];
        for (int i = 0; i < 1000; i++) before.Add(await PingAsync(other));
        using Child flood = Child.Start(python, "-c", RecordFlood.Program, $"{port}", record, version, $"{count}");
        Assert.Equal("begun", await flood.ReadLineAsync());
        // As much as the kernel takes, before the loop sees any of it.
        Assert.Equal("full", ReadLineNow(flood));
        Task<string?> end = flood.ReadLineAsync();
        List<double> pings = [];
        while (!end.IsCompleted) pings.Add(await PingAsync(other));
        Assert.Equal($"{count}", await end);
        output.WriteLine($"{pings.Count} pings, median {Median(pings):f0} us, before the flood {Median(before):f0} us");
        // At least 22,000. Of a flood in each of the loop's turns they see 2,200 to 3,500, at two to five times the median.
        Assert.True(pings.Count > 10_000);
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
        int computed = 0, accepted = 0;
        TcpServerOptions options = new() { Ssl = folder.ServerOptions(), Backlog = Batch, OnConnection = _ => ++accepted > 0 };
        if (afterwards != Afterwards.Silence) options.Ssl = CountHandshakes(options.Ssl, () => Interlocked.Increment(ref computed));
        await using TcpServer server = new(EchoAsync, options);
        IPEndPoint address = (IPEndPoint)server.Listen(0, "127.0.0.1");
        await EchoOnceAsync(address, folder); // initializes everything that is created once
        byte[] hello = Hello(folder);
        List<Socket> held = [];
        long before = Environment.WorkingSet;
        // On the loop, which so finds a thousand at once, and none of them connected any more, except the silent ones.
        for (int i = 0; i < count; i++)
        {
            Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Connect(address);
            socket.Send(hello);
            if (afterwards == Afterwards.Reset) socket.LingerState = new LingerOption(true, 0);
            if (afterwards == Afterwards.Silence) held.Add(socket);
            else socket.Dispose();
            // The system limits the backlog, often to 4096.
            while ((i + 1) % Batch == 0 && accepted < i + 2) await Task.Yield();
        }

        long begun = Stopwatch.GetTimestamp();
        await EchoOnceAsync(address, folder);
        TimeSpan served = Stopwatch.GetElapsedTime(begun);
        long grown = Environment.WorkingSet - before;
        output.WriteLine($"{computed} computed, {grown >> 20} MiB, {server.ConnectionCount} connections left, the next one served in {served.TotalMilliseconds:f0} ms");
        // The two are those of the connections that echo.
        Assert.True(afterwards == Afterwards.Silence || computed == 2);
        // Of those that only say hello the sockets are held too, theirs and the server's.
        Assert.True(afterwards == Afterwards.Silence || grown < 50 << 20);
        foreach (Socket socket in held) socket.Dispose();
        while (server.ConnectionCount > 0) await Task.Yield();
    });

    /// <returns>How long it took, in microseconds.</returns>
    private static async Task<double> PingAsync(SslIOStream stream)
    {
        long begun = Stopwatch.GetTimestamp();
        await stream.WriteAsync("ping\n"u8);
        Assert.Equal(5, (await stream.ReadUntilAsync("\n"u8)).Length);
        return Stopwatch.GetElapsedTime(begun).TotalMicroseconds;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static SslServerAuthenticationOptions CountHandshakes(SslServerAuthenticationOptions options, Action onBegun)
    {
        X509Certificate2 certificate = options.ServerCertificateContext!.TargetCertificate;
        return new SslServerAuthenticationOptions
        {
            ServerCertificateSelectionCallback = (_, _) =>
            {
                onBegun();
                return certificate;
            },
        };
    }

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
