using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Waterspout.Tests;

/// <summary>Listening: on all addresses that are asked for or on none, and at no file's expense.</summary>
public abstract class ListenTests(PollerKind poller) : LoopTest(poller)
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
        // The server itself is none the worse.
        await CheckEchoAsync(server.ListenOnAll([Address(2, port)])[0]);
    });

    [Fact]
    public void Where_one_loop_is_gone_no_loop_listens() => Run(async () =>
    {
        using IOLoopGroup group = new(3, new IOLoopOptions { Poller = Poller });
        group[2].Dispose();
        await using TcpServer server = new(EchoAsync, new TcpServerOptions { Loops = group, ReusePort = true });
        int port = TestListener.UnusedPort();
        Assert.Throws<ObjectDisposedException>(() => server.Listen(port, "127.0.0.1"));
        await AssertFree(Address(1, port));
    });

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

    private static void Make(string kind, string path, string target)
    {
        if (kind == "folder") Directory.CreateDirectory(path);
        else if (kind == "FIFO") System.Diagnostics.Process.Start("mkfifo", path).WaitForExit();
        else File.WriteAllText(kind == "link" ? target : path, kind == "file" ? "kept" : "");
        if (kind == "link") File.CreateSymbolicLink(path, target);
    }

    private static IPEndPoint Address(int host, int port) => new(new IPAddress([127, 0, 0, (byte)host]), port);

    private static int Port(EndPoint endPoint) => ((IPEndPoint)endPoint).Port;

    /// <summary>Nobody listens there, and somebody else may.</summary>
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

public sealed class EpollListenTests() : ListenTests(PollerKind.Epoll);

public sealed class PortableListenTests() : ListenTests(PollerKind.Portable);
