using System.IO.Pipelines;
using System.Net.Sockets;

namespace Waterspout.Tests;

/// <summary>Arguments that no option holds are checked by the call, which names them.</summary>
[OnEachPoller]
public sealed class ArgumentTests : LoopTest
{
    private const string Cut = "localhost\0.example";

    [Fact]
    public void A_name_or_path_that_the_system_would_cut_off_is_refused() => Run(async () =>
    {
        await using TcpServer server = new(static _ => Task.CompletedTask);
        Assert.Throws<ArgumentException>("host", () => { _ = IOStream.ConnectAsync(Cut, 1).AsTask(); });
        Assert.Throws<ArgumentException>("host", () => { _ = SslIOStream.ConnectAsync(Cut, 1).AsTask(); });
        Assert.Throws<ArgumentException>("address", () => server.Listen(0, Cut));
        await Assert.ThrowsAsync<ArgumentException>("address", () => server.ListenAsync(0, Cut));
        Assert.Throws<ArgumentException>("path", () => PipeIOStream.Open("/dev/ptmx\0x", FileAccess.ReadWrite));
    });

    [Fact]
    public void Events_that_do_not_exist_are_refused() => Run(() =>
    {
        using TestEventFd fd = new();
        Assert.Throws<ArgumentOutOfRangeException>("events", () => Loop.AddHandler(fd.Fd, (IOEvents)0x400, static (_, _) => { }));
        Loop.AddHandler(fd.Fd, IOEvents.Read, static (_, _) => { });
        Assert.Throws<ArgumentOutOfRangeException>("events", () => Loop.UpdateHandler(fd.Fd, (IOEvents)0x400));
        Loop.RemoveHandler(fd.Fd);
        return Task.CompletedTask;
    });

    [Fact]
    public void A_loop_group_has_the_loops_that_it_has_and_checks_its_options()
    {
        Assert.Throws<ArgumentNullException>("options", () => new IOLoopGroup(1, new IOLoopOptions { Name = null! }));
        using IOLoopGroup group = new(2);
        Assert.Throws<ArgumentOutOfRangeException>("index", () => group[2]);
        Assert.Throws<ArgumentOutOfRangeException>("index", () => group[-1]);
    }

    [Fact]
    public void A_pipe_without_a_side_is_not_wrapped() => Run(() =>
    {
        Assert.Throws<ArgumentNullException>("stream", () => new WrappedIOStream((Stream)null!));
        Assert.Throws<ArgumentNullException>("pipe", () => new WrappedIOStream((IDuplexPipe)null!));
        Assert.Throws<ArgumentException>("pipe", () => new WrappedIOStream(new HalfPipe()));
        return Task.CompletedTask;
    });

    [Fact]
    public void What_cannot_be_polled_or_listened_on_is_refused_by_its_parameters_name() => Run(async () =>
    {
        string file = Path.GetTempFileName();
        ArgumentException refusal = Assert.Throws<ArgumentException>("path", () => PipeIOStream.Open(file, FileAccess.Read));
        Assert.Contains(file, refusal.Message, StringComparison.Ordinal);
        using FileStream stream = File.OpenRead(file);
        Assert.Throws<ArgumentException>("fd", () => new PipeIOStream(stream.SafeFileHandle));
        File.Delete(file);
        await using TcpServer server = new(static _ => Task.CompletedTask);
        using Socket datagrams = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        Assert.Throws<ArgumentException>("listening", () => server.Listen(datagrams));
        using Socket unbound = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Assert.Throws<ArgumentException>("listening", () => server.Listen(unbound));
    });

    private sealed class HalfPipe : IDuplexPipe
    {
        public PipeReader Input => null!;

        public PipeWriter Output { get; } = new Pipe().Writer;
    }
}
