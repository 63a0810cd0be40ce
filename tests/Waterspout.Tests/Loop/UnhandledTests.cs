using System.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace Waterspout.Tests;

/// <summary>An unhandled exception is not silent.</summary>
[OnEachPoller]
public sealed class UnhandledTests : LoopTest
{
    // The first use opens a descriptor, which is not the test's.
    private static readonly TextWriter s_error = Console.Error;

    private readonly List<Exception> _reported = [];

    [Fact]
    public void A_callback_a_timer_and_a_handler_that_fail_are_reported_once_each() => Run(async () =>
    {
        using TestEventFd ready = new();
        Loop.AddCallback(() => throw new InvalidDataException("callback"));
        Loop.CallLater(TimeSpan.Zero, () => throw new InvalidDataException("timer"));
        Loop.AddHandler(ready.Fd, IOEvents.Read, (fd, _) =>
        {
            Loop.RemoveHandler(fd);
            throw new InvalidDataException("handler");
        });
        ready.Signal();
        while (_reported.Count < 3) await Turn();
        await Turns(3);
        Assert.Equal(["callback", "handler", "timer"], _reported.Select(error => error.Message).Order());
    }, Report);

    [Fact]
    public void A_callback_of_a_stream_that_fails_is_reported_once() => Run(async () =>
    {
        (IOStream near, IOStream far) = IOStream.CreatePair();
        near.ReadBytes(1, _ => throw new InvalidDataException("on purpose"));
        far.SetCloseCallback(() => throw new InvalidDataException("at the close"));
        far.Write("x"u8);
        while (_reported.Count < 2) await Turn();
        await Turns(3);
        Assert.Equal(["on purpose", "at the close"], _reported.Select(error => error.Message));
    }, Report);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_handler_of_a_server_that_fails_is_reported_once(bool isAsync) => Run(async () =>
    {
        await using TcpServer server = new(async _ =>
        {
            if (isAsync) await Task.Yield();
            throw new InvalidDataException("on purpose");
        });
        await using IOStream client = await ConnectAsync(server);
        await client.ReadUntilCloseAsync();
        while (server.ConnectionCount > 0) await Turn();
        Assert.Equal("on purpose", Assert.Single(_reported).Message);
    }, Report);

    [Fact]
    public void What_ends_a_handler_in_the_regular_way_is_not_reported() => Run(async () =>
    {
        Exception[] regular = [new TimeoutException(), new OperationCanceledException(), new StreamClosedException(), new UnsatisfiableReadException("too long")];
        foreach (Exception error in regular)
        {
            await using TcpServer server = new(async _ =>
            {
                await Task.Yield();
                throw error;
            });
            await using IOStream client = await ConnectAsync(server);
            await client.ReadUntilCloseAsync();
            while (server.ConnectionCount > 0) await Turn();
        }

        Assert.Empty(_reported);
    }, Report);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_failed_connect_inside_a_handler_is_not_the_end_of_its_own_connection(bool byName) => Run(async () =>
    {
        IPEndPoint nobody = new(IPAddress.Loopback, TestListener.UnusedPort());
        await using TcpServer server = new(async _ =>
        {
            using IOStream upstream = new(new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp));
            if (byName) await IOStream.ConnectAsync("127.0.0.1", nobody.Port);
            else await upstream.ConnectAsync(nobody);
        });
        await using IOStream client = await ConnectAsync(server);
        Assert.Empty(await client.ReadUntilCloseAsync());
        while (server.ConnectionCount > 0) await Turn();
        Assert.IsType<StreamClosedException>(Assert.Single(_reported));
    }, Report);

    [Fact]
    public void A_hook_that_fails_ends_nothing() => Run(async () =>
    {
        ExpectLog("A callback on loop");
        s_error.Flush();
        Loop.AddCallback(() => throw new InvalidDataException("on purpose"));
        await Turns(3);
    }, options => options.UnhandledException = _ => throw new InvalidDataException("the hook"));

    [Fact]
    public void By_default_they_go_to_standard_error_unless_there_is_a_log()
    {
        IOLoopOptions options = new();
        Assert.NotNull(options.EffectiveUnhandledException);
        Assert.Null((options with { LoggerFactory = Log }).EffectiveUnhandledException);
        Assert.Null((options with { UnhandledException = null }).EffectiveUnhandledException);
        Action<Exception> hook = _ => { };
        Assert.Same(hook, (options with { UnhandledException = hook, LoggerFactory = Log }).EffectiveUnhandledException);
    }

    private static ValueTask<IOStream> ConnectAsync(TcpServer server) =>
        IOStream.ConnectAsync("127.0.0.1", ((IPEndPoint)server.Listen(0, "127.0.0.1")).Port);

    private void Report(IOLoopOptions options)
    {
        options.LoggerFactory = NullLoggerFactory.Instance;
        options.UnhandledException = _reported.Add;
    }
}
