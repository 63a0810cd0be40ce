using System.Net;
using System.Net.Sockets;

namespace Waterspout.Tests.Tls;

/// <summary>A silent peer blocks nothing for ever: every form of a handshake has a time limit.</summary>
[OnEachPoller]
public sealed class HandshakeTimeoutTests : TlsTest
{
    private static readonly IOStreamOptions s_options = new() { HandshakeTimeout = TimeSpan.FromMilliseconds(20) };

    [Fact]
    public void There_is_a_limit_by_default() => Assert.Equal(TimeSpan.FromSeconds(10), new IOStreamOptions().HandshakeTimeout);

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    public void It_has_to_be_positive_or_infinite(int milliseconds) => Run(() =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        using (left)
        using (right)
        {
            IOStreamOptions options = new() { HandshakeTimeout = TimeSpan.FromMilliseconds(milliseconds) };
            Assert.Throws<ArgumentOutOfRangeException>(() => new SslIOStream(left, TestCertificates.ClientOptions(), options));
        }

        return Task.CompletedTask;
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_stream_over_a_connected_socket_has_it(bool isServer) => Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        using Socket silent = right;
        await AssertTimesOut(Make(left, isServer), stream => stream.WaitForHandshakeAsync());
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_read_that_waits_for_the_handshake_has_it(bool isServer) => Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        using Socket silent = right;
        await AssertTimesOut(Make(left, isServer), async stream => await stream.ReadBytesAsync(1));
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_write_that_waits_for_the_handshake_has_it(bool isServer) => Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        using Socket silent = right;
        await AssertTimesOut(Make(left, isServer), stream => stream.WriteAsync((ReadOnlyMemory<byte>)new byte[1_000_000]));
    });

    [Fact]
    public void A_stream_that_connects_has_it() => Run(async () =>
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        SslIOStream client = new(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp), TestCertificates.ClientOptions(), s_options);
        await AssertTimesOut(client, stream => stream.ConnectAsync(listener.LocalEndPoint!, "localhost"));
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_upgrade_has_it(bool isServer) => Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        using Socket silent = right;
        IOStream plain = new(left, s_options);
        Task<SslIOStream> upgrade = isServer
            ? plain.StartTlsAsync(TestCertificates.ServerOptions()).AsTask()
            : plain.StartTlsAsync(TestCertificates.ClientOptions()).AsTask();
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(() => upgrade);
        Assert.Equal(CloseReason.Timeout, error.Reason);
        Assert.IsType<TimeoutException>(error.InnerException);
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void None_is_none(bool isInfinite) => Run(async () =>
    {
        IOStreamOptions options = s_options with { HandshakeTimeout = isInfinite ? Timeout.InfiniteTimeSpan : null };
        (SslIOStream client, SslIOStream server) = await ConnectPairAsync(options);
        await AssertEchoes(client, server);
        client.Close();
        server.Close();
    });

    [Fact]
    public void A_handshake_that_is_done_is_not_timed() => Run(async () =>
    {
        await Turn(); // the limit of the test itself has its timer by then
        int timers = Loop.TimerCount;
        (SslIOStream client, SslIOStream server) = await ConnectPairAsync(new IOStreamOptions { HandshakeTimeout = TimeSpan.FromHours(1) });
        Assert.Equal(timers, Loop.TimerCount);
        client.Close();
        server.Close();
    });

    private static SslIOStream Make(Socket socket, bool isServer) => isServer
        ? new SslIOStream(socket, TestCertificates.ServerOptions(), s_options)
        : new SslIOStream(socket, TestCertificates.ClientOptions(), s_options);

    private static async Task AssertTimesOut(SslIOStream stream, Func<SslIOStream, ValueTask> wait)
    {
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(() => wait(stream).AsTask());
        Assert.Equal(CloseReason.Timeout, error.Reason);
        Assert.IsType<TimeoutException>(error.InnerException);
        Assert.Equal(CloseReason.Timeout, stream.CloseReason);
    }
}
