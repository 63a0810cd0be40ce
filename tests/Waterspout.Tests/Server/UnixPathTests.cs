using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Waterspout.Tests;

/// <summary>Unix sockets: a path is probed without disturbing its listener, and a server removes only what it has created.</summary>
[OnEachPoller]
public sealed class UnixPathTests : LoopTest
{
    [Fact]
    public void A_live_server_with_a_full_backlog_does_not_block_the_probe() => Run(async () =>
    {
        using TestListener busy = TestListener.OnPath(backlog: 1);
        List<Socket> fillers = busy.FillBacklog();
        await using TcpServer server = new(EchoAsync);
        AssertInUse(server, busy.Path);
        foreach (Socket filler in fillers) filler.Dispose();
    });

    [Fact]
    public void A_live_server_does_not_notice_the_probe() => Run(async () =>
    {
        int accepted = 0;
        await using TcpServer living = new(stream =>
        {
            accepted++;
            return EchoAsync(stream);
        });
        EndPoint path = living.Listen(TestListener.NewPath());
        await using TcpServer server = new(EchoAsync);
        AssertInUse(server, path);
        await CheckEchoAsync(path);
        Assert.Equal(1, accepted);
    });

    [Fact]
    public void A_socket_that_is_bound_and_does_not_listen_yet_is_not_taken_away() => Run(async () =>
    {
        UnixDomainSocketEndPoint path = TestListener.NewPath();
        using Socket starting = NewSocket();
        starting.Bind(path);
        await using TcpServer server = new(EchoAsync);
        AssertInUse(server, path);
        starting.Listen();
        using Socket client = NewSocket();
        client.Connect(path);
    });

    [Fact]
    public void A_datagram_socket_is_not_taken_away() => Run(async () =>
    {
        UnixDomainSocketEndPoint path = TestListener.NewPath();
        using Socket log = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        log.Bind(path);
        await using TcpServer server = new(EchoAsync);
        AssertInUse(server, path);
        Assert.True(File.Exists(path.ToString()));
    });

    [Fact]
    public void The_file_of_a_server_goes_with_it() => Run(async () =>
    {
        UnixDomainSocketEndPoint path = TestListener.NewPath();
        await using TcpServer server = new(EchoAsync);
        Assert.Equal(path, server.Listen(path));
        await CheckEchoAsync(path);
        await server.StopAsync(TimeSpan.Zero);
        Assert.False(Path.Exists(path.ToString()));
    });

    [Theory]
    [InlineData("file")]
    [InlineData("server")]
    public void What_has_taken_the_place_of_a_servers_file_stays_there(string kind) => Run(async () =>
    {
        UnixDomainSocketEndPoint path = TestListener.NewPath();
        await using TcpServer server = new(EchoAsync), successor = new(EchoAsync);
        server.Listen(path);
        // As a successor does that starts before this one has stopped.
        File.Delete(path.ToString());
        if (kind == "file") await File.WriteAllTextAsync(path.ToString(), "kept");
        else successor.Listen(path);
        await server.StopAsync(TimeSpan.Zero);
        if (kind == "file") Assert.Equal("kept", await File.ReadAllTextAsync(path.ToString()));
        else await CheckEchoAsync(path);
        File.Delete(path.ToString());
    });

    [Fact]
    public void A_folder_that_is_not_there_is_named_by_the_error() => Run(async () =>
    {
        UnixDomainSocketEndPoint path = new(TestListener.NewPath() + "/none");
        await using TcpServer server = new(EchoAsync);
        Assert.Contains(path.ToString(), Assert.Throws<SocketException>(() => server.Listen(path)).Message);
    });

    [Fact]
    public void A_file_whose_name_looks_like_an_abstract_one_is_not_in_its_way() => Run(async () =>
    {
        string name = $"waterspout-{Guid.NewGuid():N}";
        UnixDomainSocketEndPoint abstractName = new('\0' + name);
        // In the working directory, and a dead socket: the one kind of file that would be removed.
        UnixDomainSocketEndPoint file = new('@' + name);
        using Socket dead = NewSocket();
        dead.Bind(file);
        string moved = '@' + name + "-dead";
        File.Move(file.ToString(), moved);
        dead.Dispose();
        File.Move(moved, file.ToString());
        try
        {
            await using TcpServer server = new(EchoAsync);
            Assert.Equal(abstractName, server.Listen(abstractName));
            await CheckEchoAsync(abstractName);
            await server.StopAsync(TimeSpan.Zero);
            Assert.True(Path.Exists(file.ToString()));
        }
        finally
        {
            File.Delete(file.ToString());
        }
    });

    [Fact]
    public void An_abstract_name_that_is_taken_is_in_use() => Run(async () =>
    {
        UnixDomainSocketEndPoint name = new($"\0waterspout-{Guid.NewGuid():N}");
        await using TcpServer server = new(EchoAsync), second = new(EchoAsync);
        server.Listen(name);
        AssertInUse(second, name);
        await CheckEchoAsync(name);
    });

    private static void AssertInUse(TcpServer server, EndPoint endPoint)
    {
        SocketException error = Assert.Throws<SocketException>(() => server.Listen(endPoint));
        Assert.Equal(SocketError.AddressAlreadyInUse, error.SocketErrorCode);
        Assert.Contains(endPoint.ToString()!, error.Message);
    }

    private static Socket NewSocket() => new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    private static async Task EchoAsync(IOStream stream)
    {
        while (true) await stream.WriteAsync(await stream.ReadUntilAsync("\n"u8));
    }

    private static async Task CheckEchoAsync(EndPoint endPoint)
    {
        await using IOStream client = new(NewSocket());
        await client.ConnectAsync(endPoint);
        await client.WriteAsync("hello\n"u8);
        Assert.Equal("hello\n", Encoding.ASCII.GetString(await client.ReadUntilAsync("\n"u8)));
    }
}
