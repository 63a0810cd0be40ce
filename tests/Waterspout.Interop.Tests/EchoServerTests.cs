using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Waterspout.Interop.Tests;

/// <summary>The EchoServer sample against common programs.</summary>
public sealed class EchoServerTests
{
    // More than the kernel buffers for a connection, so that both directions have to progress at the same time.
    private static readonly byte[] s_lines = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 1_000_000).Select(number => $"{number}\n")) + "the unfinished last line");

    // Does what systemd does for a service with two sockets.
    private const string Supervisor = """
        import os, socket, sys
        tcp, unix = socket.socket(), socket.socket(socket.AF_UNIX)
        tcp.bind(('127.0.0.1', 0)); unix.bind(sys.argv[1])
        for fd, opened in (100, tcp), (101, unix): opened.listen(); os.dup2(opened.fileno(), fd)
        for fd in 0, 1: os.dup2(100 + fd, 3 + fd); os.close(100 + fd)
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='2', LISTEN_FDNAMES='tcp:unix')
        os.execv(sys.argv[2], sys.argv[2:])
        """;

    [Theory]
    [InlineData("nc", "-N 127.0.0.1 PORT")]
    [InlineData("socat", "-t60 - TCP:127.0.0.1:PORT")]
    public async Task A_client_that_closes_its_side_gets_everything_back(string client, string arguments)
    {
        string program = Tool.Require(client);
        using EchoServer server = await EchoServer.StartAsync();
        using Child child = Child.Start(program, arguments.Replace("PORT", $"{server.Port}").Split(' '));
        Child.Outcome echoed = await child.FinishAsync(s_lines);
        Assert.Equal("", echoed.Errors);
        Assert.True(echoed.Output.AsSpan().SequenceEqual(s_lines), $"{echoed.Output.Length} of {s_lines.Length} bytes came back, or others.");
    }

    [Fact]
    public async Task Listens_on_a_Unix_socket_too()
    {
        string program = Tool.Require("socat");
        string path = Path.Combine(Path.GetTempPath(), $"waterspout-{Guid.NewGuid()}.sock");
        using EchoServer server = await EchoServer.StartAsync("--unix", path, "--loops", "2");
        Assert.Equal($"listening on {path}", await server.Process.ReadLineAsync());
        using Child child = Child.Start(program, "-t60", "-", $"UNIX-CONNECT:{path}");
        Assert.Equal("hello\n", Encoding.ASCII.GetString((await child.FinishAsync("hello\n"u8.ToArray())).Output));
        await server.Process.SignalAsync("TERM");
        await server.Process.WaitForExitAsync();
        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task Serves_on_sockets_that_a_supervisor_has_opened_and_leaves_their_file()
    {
        string path = Path.Combine(Path.GetTempPath(), $"waterspout-{Guid.NewGuid()}.sock");
        using Child server = Child.Start(Tool.Require("python3"), "-c", Supervisor, path, Repository.Sample("EchoServer"), "--systemd");
        string address = (await server.ReadLineAsync())!.Replace("listening on ", "");
        Assert.Equal($"listening on {path}", await server.ReadLineAsync());
        foreach (EndPoint endPoint in (EndPoint[])[IPEndPoint.Parse(address), new UnixDomainSocketEndPoint(path)])
        {
            using Socket client = new(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
            await client.ConnectAsync(endPoint);
            await client.SendAsync("hello\n"u8.ToArray());
            byte[] answer = new byte[6];
            Assert.Equal(6, await client.ReceiveAsync(answer));
            Assert.Equal("hello\n", Encoding.ASCII.GetString(answer));
        }

        await server.SignalAsync("TERM");
        await server.WaitForExitAsync();
        Assert.Equal(0, server.ExitCode);
        Assert.True(File.Exists(path));
        File.Delete(path);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task A_signal_ends_it_in_good_order(string signal)
    {
        using EchoServer server = await EchoServer.StartAsync();
        using Socket idle = new(SocketType.Stream, ProtocolType.Tcp);
        await idle.ConnectAsync("127.0.0.1", server.Port);
        await server.Process.SignalAsync(signal);
        await server.Process.WaitForExitAsync();
        Assert.Equal(0, server.Process.ExitCode);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_one_line_and_exit_code_1()
    {
        using EchoServer server = await EchoServer.StartAsync();
        Child.Outcome second = await Child.RunAsync(Repository.Sample("EchoServer"), "--port", $"{server.Port}", "--host", "127.0.0.1");
        Assert.Equal(1, second.ExitCode);
        Assert.Equal(1, second.Errors.Count(character => character == '\n'));
        Assert.Contains("in use", second.Errors);
    }
}
