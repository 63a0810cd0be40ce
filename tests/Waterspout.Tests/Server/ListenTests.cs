using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Waterspout.Tests;

/// <summary>Listening: on all requested addresses or on none, and without harm to any file.</summary>
[OnEachPoller]
public sealed class ListenTests : LoopTest
{
    [Fact]
    public void One_port_is_listened_on_at_all_addresses() => Run(async () =>
    {
        await using TcpServer server = new(EchoAsync);
        EndPoint[] bound = server.ListenOnAll([Address(1, 0), Address(2, 0)]);
        Assert.Equal([Address(1, Port(bound[0])), Address(2, Port(bound[0]))], bound);
        foreach (EndPoint each in bound) await CheckEchoAsync(each);
    });

    [Fact]
    public void Where_one_address_is_taken_none_is_listened_on() => Run(async () =>
    {
        using TestListener taken = new();
        int port = taken.EndPoint.Port;
        await using TcpServer server = new(EchoAsync);
        SocketException error = Assert.Throws<SocketException>(() => server.ListenOnAll([Address(2, port), Address(3, port), Address(1, port)]));
        Assert.Equal(SocketError.AddressAlreadyInUse, error.SocketErrorCode);
        await AssertFree(Address(2, port));
        await AssertFree(Address(3, port));
        // The server itself still works.
        await CheckEchoAsync(server.ListenOnAll([Address(2, port)])[0]);
    });

    [Fact]
    public void A_server_with_a_disposed_loop_does_not_listen() => Run(async () =>
    {
        using IOLoopGroup group = new(3, new IOLoopOptions { Poller = Poller });
        group[2].Dispose();
        await using TcpServer server = new(EchoAsync, new TcpServerOptions { Loops = group, ReusePort = true });
        int port = TestListener.UnusedPort();
        Assert.Throws<ObjectDisposedException>(() => server.Listen(port, "127.0.0.1"));
        await AssertFree(Address(1, port));
    });

    [Fact]
    public void An_address_in_use_is_named_by_the_error() => Run(async () =>
    {
        using TestListener taken = new();
        await using TcpServer server = new(EchoAsync);
        SocketException error = Assert.Throws<SocketException>(() => server.Listen(taken.EndPoint));
        Assert.Equal(SocketError.AddressAlreadyInUse, error.SocketErrorCode);
        Assert.Contains(taken.EndPoint.ToString(), error.Message);
    });

    [Fact]
    public void Servers_with_one_loop_share_a_port_if_both_allow_it() => Run(async () =>
    {
        TcpServerOptions options = new() { ReusePort = true };
        await using TcpServer one = new(EchoAsync, options), two = new(EchoAsync, options), selfish = new(EchoAsync);
        EndPoint address = one.Listen(0, "127.0.0.1");
        Assert.Equal(address, two.Listen(address));
        Assert.Throws<SocketException>(() => selfish.Listen(address));
        await one.StopAsync(TimeSpan.Zero);
        await CheckEchoAsync(address);
    });

    [Fact]
    public void An_IPv6_address_that_the_machine_has_not_is_left_out_of_a_name() => Run(async () =>
    {
        await using TcpServer server = new(EchoAsync);
        EndPoint bound = await Task.Run(() => server.Listen(0, "name.test"));
        Assert.Equal(IPAddress.Loopback, ((IPEndPoint)bound).Address);
        await CheckEchoAsync(bound);
    }, options => options.Lookup = Answer("2001:db8::1", "127.0.0.1"));

    [Fact]
    public void A_name_that_has_no_address_of_the_machine_is_an_error_that_names_one() => Run(async () =>
    {
        await using TcpServer server = new(EchoAsync);
        SocketException error = await Assert.ThrowsAsync<SocketException>(() => Task.Run(() => server.Listen(80, "name.test")));
        Assert.Equal(SocketError.AddressNotAvailable, error.SocketErrorCode);
        Assert.Contains("[2001:db8::1]:80", error.Message);
    }, options => options.Lookup = Answer("2001:db8::1", "2001:db8::2"));

    [Fact]
    public void A_name_is_not_resolved_on_a_loops_thread() => Run(async () =>
    {
        await using TcpServer server = new(EchoAsync);
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => server.Listen(0, "name.test"));
        Assert.Contains("ListenAsync", error.Message);
        Assert.Throws<InvalidOperationException>(() => server.Listen(new DnsEndPoint("name.test", 0)));
        // These need no resolver.
        await CheckEchoAsync(server.Listen(0, "127.0.0.1"));
        await CheckEchoAsync(server.Listen(0, "localhost"));
        await CheckEchoAsync(server.Listen(new DnsEndPoint("localhost", 0)));
    }, options => options.Lookup = (_, _, _) => throw new InvalidDataException("Nobody is asked."));

    [Fact]
    public void A_name_is_resolved_without_holding_the_caller() => Run(async () =>
    {
        await using TcpServer server = new(EchoAsync);
        await CheckEchoAsync(await server.ListenAsync(0, "name.test"));
        await CheckEchoAsync(await server.ListenAsync(new DnsEndPoint("name.test", 0)));
        await CheckEchoAsync(await server.ListenAsync(0, "127.0.0.1"));
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = server.ListenAsync(65_536, "name.test"); });
    }, options => options.Lookup = async (_, _, _) =>
    {
        await Task.Yield();
        return [IPAddress.Loopback];
    });

    [Fact]
    public void A_resolver_that_never_answers_does_not_hold_a_cancelled_listen() => Run(async () =>
    {
        await using TcpServer server = new(EchoAsync);
        using CancellationTokenSource source = new();
        Task<EndPoint> listen = server.ListenAsync(0, "name.test", source.Token);
        source.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => listen);
    }, options => options.Lookup = (_, _, _) => new TaskCompletionSource<IPAddress[]>().Task);

    [Fact]
    public void A_listen_that_was_cancelled_before_it_began_listens_on_nothing() => Run(async () =>
    {
        await using TcpServer server = new(EchoAsync);
        CancellationToken cancelled = new(canceled: true);
        UnixDomainSocketEndPoint path = TestListener.NewPath();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => server.ListenAsync(0, "127.0.0.1", cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => server.ListenAsync(0, "localhost", cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => server.ListenAsync(path, cancelled));
        Assert.False(Path.Exists(path.ToString()));
        Assert.DoesNotContain(Log.Lines, line => line.Message.Contains("Listening", StringComparison.Ordinal));
    });

    [Fact]
    public void A_name_that_is_unknown_is_named_by_the_error() => Run(async () =>
    {
        await using TcpServer server = new(EchoAsync);
        SocketException error = await Assert.ThrowsAsync<SocketException>(() => server.ListenAsync(80, "name.test"));
        Assert.Equal(SocketError.HostNotFound, error.SocketErrorCode);
        Assert.Contains("name.test:80", error.Message);
        using IOStream stream = new(new Socket(SocketType.Stream, ProtocolType.Tcp));
        StreamClosedException closed = await Assert.ThrowsAsync<StreamClosedException>(() => stream.ConnectAsync(new DnsEndPoint("name.test", 80)).AsTask());
        Assert.Contains("name.test:80", closed.Message);
    }, options => options.Lookup = (_, _, _) => Task.FromException<IPAddress[]>(new SocketException((int)SocketError.HostNotFound)));

    [Fact]
    public void A_name_without_addresses_is_named_by_the_error() => Run(async () =>
    {
        await using TcpServer server = new(EchoAsync);
        SocketException error = await Assert.ThrowsAsync<SocketException>(() => server.ListenAsync(80, "name.test"));
        Assert.Contains("name.test:80", error.Message);
        using IOStream stream = new(new Socket(SocketType.Stream, ProtocolType.Tcp));
        StreamClosedException closed = await Assert.ThrowsAsync<StreamClosedException>(() => stream.ConnectAsync(new DnsEndPoint("name.test", 80)).AsTask());
        Assert.Contains("name.test:80", closed.Message);
    }, options => options.Lookup = (_, _, _) => Task.FromResult<IPAddress[]>([]));

    [Fact]
    public void A_Unix_path_is_given_back_when_another_address_is_taken() => Run(async () =>
    {
        using TestListener taken = new();
        UnixDomainSocketEndPoint path = TestListener.NewPath();
        await using TcpServer server = new(EchoAsync);
        Assert.Throws<SocketException>(() => server.ListenOnAll([path, taken.EndPoint]));
        Assert.False(Path.Exists(path.ToString()));
    });

    [Theory]
    [InlineData("file")]
    [InlineData("empty file")]
    [InlineData("folder")]
    [InlineData("link")]
    [InlineData("FIFO")]
    public void What_is_not_a_socket_stays_at_its_path(string kind) => Run(async () =>
    {
        UnixDomainSocketEndPoint endPoint = TestListener.NewPath();
        string path = endPoint.ToString();
        string target = path + ".target";
        Make(kind, path, target);
        try
        {
            await using TcpServer server = new(EchoAsync);
            SocketException error = Assert.Throws<SocketException>(() => server.Listen(endPoint));
            Assert.Equal(SocketError.AddressAlreadyInUse, error.SocketErrorCode);
            Assert.Contains($"'{path}' exists, and is not a socket", error.Message);
            Assert.True(Path.Exists(path));
            if (kind == "file") Assert.Equal("kept", await File.ReadAllTextAsync(path));
        }
        finally
        {
            if (kind == "folder") Directory.Delete(path);
            else File.Delete(path);
            File.Delete(target);
        }
    });

    private static Func<string, AddressFamily, CancellationToken, Task<IPAddress[]>> Answer(params string[] addresses) =>
        (_, _, _) => Task.FromResult<IPAddress[]>([.. addresses.Select(IPAddress.Parse)]);

    private static void Make(string kind, string path, string target)
    {
        if (kind == "folder") Directory.CreateDirectory(path);
        else if (kind == "FIFO") System.Diagnostics.Process.Start("mkfifo", path).WaitForExit();
        else File.WriteAllText(kind == "link" ? target : path, kind == "file" ? "kept" : "");
        if (kind == "link") File.CreateSymbolicLink(path, target);
    }

    private static IPEndPoint Address(int host, int port) => new(new IPAddress([127, 0, 0, (byte)host]), port);

    private static int Port(EndPoint endPoint) => ((IPEndPoint)endPoint).Port;

    /// <summary>The address has no listener, and is free.</summary>
    private static async Task AssertFree(IPEndPoint endPoint)
    {
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        SocketException error = await Assert.ThrowsAsync<SocketException>(() => client.ConnectAsync(endPoint));
        Assert.Equal(SocketError.ConnectionRefused, error.SocketErrorCode);
        using Socket other = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(endPoint);
        other.Listen();
    }

    private static async Task EchoAsync(IOStream stream)
    {
        while (true) await stream.WriteAsync(await stream.ReadUntilAsync("\n"u8));
    }

    private static async Task CheckEchoAsync(EndPoint endPoint)
    {
        await using IOStream client = new(new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        await client.ConnectAsync(endPoint);
        await client.WriteAsync("hello\n"u8);
        Assert.Equal("hello\n", Encoding.ASCII.GetString(await client.ReadUntilAsync("\n"u8)));
    }
}
