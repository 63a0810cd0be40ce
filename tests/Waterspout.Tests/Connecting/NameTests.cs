using System.Net;
using System.Net.Sockets;
using Waterspout.Diagnostics;
using Waterspout.Tests.Tls;

namespace Waterspout.Tests;

/// <summary>Connecting by name: no resolver delays a time limit, and every resolved address is tried.</summary>
[OnEachPoller]
public sealed class NameTests : ManualLoopTest
{
    private static readonly IOStreamOptions s_options = new() { ConnectTimeout = TimeSpan.FromSeconds(3) };
    private static readonly DnsEndPoint s_name = new("name.test", 80);

    public static TheoryData<string> Forms => ["static", "instance", "TLS static", "TLS instance"];

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_resolver_that_never_answers_does_not_hold_the_time_limit(string form) => RunManually(async () =>
    {
        Task connect = Connect(form, s_options, CancellationToken.None, out IOStream? stream);
        await Advance(TimeSpan.FromSeconds(2.9));
        Assert.False(connect.IsCompleted);
        await Advance(TimeSpan.FromSeconds(0.1));
        TimeoutException error = await Assert.ThrowsAsync<TimeoutException>(() => connect);
        Assert.Contains("name.test:80", error.Message);
        if (stream is not null) Assert.Equal(CloseReason.Timeout, stream.CloseReason);
        Assert.Equal(1, Loop.Counters.Timeouts[(int)TimedOperation.Connect]);
    }, options => options.Lookup = new Resolver().Lookup);

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_resolver_that_never_answers_does_not_hold_a_cancellation(string form) => Run(async () =>
    {
        using CancellationTokenSource source = new();
        Task connect = Connect(form, null, source.Token, out IOStream? stream);
        await NextTurn();
        Assert.False(connect.IsCompleted);
        source.Cancel();
        OperationCanceledException error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connect);
        Assert.Equal(source.Token, error.CancellationToken);
        if (stream is not null) Assert.True(stream.IsClosed);
    }, options => options.Lookup = new Resolver().Lookup);

    [Theory]
    [InlineData("instance")]
    [InlineData("TLS instance")]
    public void A_resolver_that_never_answers_does_not_hold_a_close(string form) => Run(async () =>
    {
        Task connect = Connect(form, null, CancellationToken.None, out IOStream? stream);
        await NextTurn();
        stream!.Close();
        await Assert.ThrowsAsync<StreamClosedException>(() => connect);
    }, options => options.Lookup = new Resolver().Lookup);

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_resolver_failure_after_the_time_limit_reports_the_time_limit(string form) => RunManually(async () =>
    {
        Task connect = Connect(form, s_options, CancellationToken.None, out _);
        await Advance(TimeSpan.FromSeconds(3));
        await Assert.ThrowsAsync<TimeoutException>(() => connect);
    }, options => options.Lookup = new Resolver { IsFailedByToken = true }.Lookup);

    [Fact]
    public void A_late_answer_of_a_resolver_is_ignored()
    {
        Resolver resolver = new();
        RunManually(async () =>
        {
            Task first = Connect("static", s_options, CancellationToken.None, out _), second = Connect("instance", s_options, CancellationToken.None, out _);
            await Advance(TimeSpan.FromSeconds(3));
            await Assert.ThrowsAsync<TimeoutException>(() => first);
            await Assert.ThrowsAsync<TimeoutException>(() => second);
            // No unobserved exception: the end of the test checks for them.
            resolver.Fail();
        }, options => options.Lookup = resolver.Lookup);
    }

    [Fact]
    public void The_callback_form_reports_the_time_limit_by_the_close_callback() => RunManually(async () =>
    {
        IOStream stream = new(NewSocket(), s_options);
        TaskCompletionSource closed = new();
        stream.SetCloseCallback(closed.SetResult);
        stream.Connect(s_name, () => Assert.Fail("It is not connected."));
        await Advance(TimeSpan.FromSeconds(3));
        await closed.Task;
        Assert.IsType<TimeoutException>(stream.Error);
    }, options => options.Lookup = new Resolver().Lookup);

    [Fact]
    public void The_time_limit_of_a_stream_covers_connecting() => RunManually(async () =>
    {
        using TestListener listener = new(backlog: 1);
        List<Socket> fillers = listener.FillBacklog();
        IOStream stream = new(NewSocket(), s_options);
        Task connect = stream.ConnectAsync(listener.EndPoint).AsTask();
        await Advance(TimeSpan.FromSeconds(3));
        TimeoutException error = await Assert.ThrowsAsync<TimeoutException>(() => connect);
        Assert.Contains(listener.EndPoint.ToString(), error.Message);
        Assert.Equal(CloseReason.Timeout, stream.CloseReason);
        foreach (Socket filler in fillers) filler.Dispose();
    });

    [Fact]
    public void The_time_limit_of_a_TLS_stream_covers_the_handshake() => RunManually(async () =>
    {
        using TestListener silent = new();
        SslIOStream stream = new(NewSocket(), TestCertificates.ClientOptions(), s_options);
        Task connect = stream.ConnectAsync(silent.EndPoint).AsTask();
        using Socket accepted = await silent.AcceptAsync();
        await Advance(TimeSpan.FromSeconds(3));
        await Assert.ThrowsAsync<TimeoutException>(() => connect);
        Assert.Equal(CloseReason.Timeout, stream.CloseReason);
    });

    [Fact]
    public void A_stream_that_is_connected_in_time_stays_open_when_the_time_limit_passes() => RunManually(async () =>
    {
        using TestListener listener = new();
        using IOStream stream = new(NewSocket(), s_options);
        await stream.ConnectAsync(listener.EndPoint);
        await Advance(TimeSpan.FromSeconds(3));
        Assert.False(stream.IsClosed);
        listener.Accept().Dispose();
    });

    [Theory]
    [InlineData(AddressFamily.InterNetwork)]
    [InlineData(AddressFamily.InterNetworkV6)]
    public void Every_address_of_a_name_is_tried_on_one_socket(AddressFamily family) => Run(async () =>
    {
        using TestListener listener = new(host: 4);
        using IOStream stream = new(family == AddressFamily.InterNetwork ? NewSocket() : NewDualModeSocket());
        await stream.ConnectAsync(new DnsEndPoint("name.test", listener.EndPoint.Port));
        await stream.WriteAsync("x"u8);
        await stream.FlushAsync();
        using Socket server = listener.Accept();
        Assert.Equal(1, server.Receive(new byte[10]));
    }, options => options.Lookup = Answer("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"));

    [Fact]
    public void Every_address_of_a_name_is_tried_on_the_socket_of_a_TLS_stream() => Run(async () =>
    {
        await using TcpServer server = new(async stream => await stream.WriteAsync("x"u8), new TcpServerOptions { Ssl = TestCertificates.ServerOptions() });
        int port = ((IPEndPoint)server.Listen(0, "127.0.0.3")).Port;
        await using SslIOStream stream = new(NewSocket(), TestCertificates.ClientOptions());
        TaskCompletionSource connected = new();
        stream.Connect(new DnsEndPoint("name.test", port), connected.SetResult);
        await connected.Task;
        Assert.Equal((byte)'x', (await stream.ReadBytesAsync(1))[0]);
    }, options => options.Lookup = Answer("127.0.0.1", "127.0.0.2", "127.0.0.3"));

    [Fact]
    public void When_no_address_can_be_connected_to_the_last_error_names_its_address() => Run(async () =>
    {
        int port = TestListener.UnusedPort();
        IOStream stream = new(NewDualModeSocket());
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(() => stream.ConnectAsync(new DnsEndPoint("name.test", port)).AsTask());
        Assert.Equal(SocketError.ConnectionRefused, Assert.IsType<SocketException>(error.InnerException).SocketErrorCode);
        Assert.Contains($"127.0.0.2:{port}", error.Message);
        Assert.DoesNotContain("ffff", error.Message);
    }, options => options.Lookup = Answer("127.0.0.1", "127.0.0.2"));

    [Fact]
    public void When_no_address_can_be_raced_to_each_error_names_its_address() => Run(async () =>
    {
        int port = TestListener.UnusedPort();
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(() => IOStream.ConnectAsync("name.test", port).AsTask());
        Assert.Contains($"127.0.0.1:{port}", error.Message);
        Assert.Contains($"127.0.0.2:{port}", error.Message);
    }, options => options.Lookup = Answer("127.0.0.1", "127.0.0.2"));

    [Fact]
    public void A_Unix_path_is_named_by_the_error() => Run(async () =>
    {
        UnixDomainSocketEndPoint path = TestListener.NewPath();
        IOStream stream = new(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(() => stream.ConnectAsync(path).AsTask());
        Assert.Contains(path.ToString(), error.Message);
    });

    private static Task Connect(string form, IOStreamOptions? options, CancellationToken token, out IOStream? stream)
    {
        stream = form switch
        {
            "instance" => new IOStream(NewSocket(), options),
            "TLS instance" => new SslIOStream(NewSocket(), TestCertificates.ClientOptions(), options),
            _ => null,
        };
        if (stream is not null) return stream.ConnectAsync(s_name, cancellationToken: token).AsTask();
        return form == "static"
            ? IOStream.ConnectAsync(s_name.Host, s_name.Port, options, token).AsTask()
            : SslIOStream.ConnectAsync(s_name.Host, s_name.Port, null, options, token).AsTask();
    }

    private static Func<string, AddressFamily, CancellationToken, Task<IPAddress[]>> Answer(params string[] addresses) =>
        (_, _, _) => Task.FromResult<IPAddress[]>([.. addresses.Select(IPAddress.Parse)]);

    private static Socket NewSocket() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    private static Socket NewDualModeSocket() => new(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };

    /// <summary>Like getaddrinfo with a name server that does not answer: it cannot be stopped.</summary>
    private sealed class Resolver
    {
        private readonly TaskCompletionSource<IPAddress[]> _answer = new();

        internal bool IsFailedByToken { get; init; }

        internal Task<IPAddress[]> Lookup(string host, AddressFamily family, CancellationToken cancellationToken)
        {
            if (IsFailedByToken) cancellationToken.Register(Fail);
            return _answer.Task;
        }

        internal void Fail() => _answer.TrySetException(new SocketException((int)SocketError.TryAgain));
    }
}
