using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using Waterspout.Tests.Tls;

namespace Waterspout.Tests;

/// <summary>What the meter says of handshakes, time limits, bytes and the lag of a loop.</summary>
[OnEachPoller]
public sealed class MetricsTests : LoopTest
{
    [Fact]
    public void Handshakes_are_counted_from_their_beginning_and_failures_by_their_cause() => Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        SslIOStream server = new(left, TestCertificates.ServerOptions());
        await Turn();
        Assert.Equal((1, 1, 0), (Handshakes("begun"), Handshakes("active"), Handshakes("waiting")));
        SslIOStream client = new(right, TestCertificates.ClientOptions());
        await client.WaitForHandshakeAsync();
        await server.WaitForHandshakeAsync();
        Assert.Equal((2, 0, 2), (Handshakes("begun"), Handshakes("active"), Handshakes("done")));

        (left, Socket resetting) = SocketPair.Tcp();
        SslIOStream reset = new(left, TestCertificates.ClientOptions());
        SslIOStream[] failing = [Silent(TimeSpan.FromMilliseconds(1)), Silent(null, out Socket leaving), reset, Silent(null)];
        leaving.Dispose();
        resetting.LingerState = new LingerOption(true, 0);
        resetting.Dispose();
        failing[3].Close();
        foreach (SslIOStream stream in failing) await Assert.ThrowsAsync<StreamClosedException>(async () => await stream.WaitForHandshakeAsync());
        Dictionary<string, double> values = Measurements.Of(Loop.Name);
        string[] causes = ["timeout", "end_of_stream", "connection_reset", "closed"];
        Assert.All(causes, cause => Assert.Equal(1, values[$"waterspout.tls.handshakes.failed {cause}"]));
        Assert.Equal(1, values["waterspout.timeouts handshake"]);
        Assert.Equal(0, values["waterspout.tls.handshakes.active"]);
    });

    [Fact]
    public void Loops_of_the_same_name_are_added_up_and_the_sum_stays_when_they_end() => Run(async () =>
    {
        const string Name = nameof(Loops_of_the_same_name_are_added_up_and_the_sum_stays_when_they_end);
        string name = $"{Name} {Poller}";
        IOLoopOptions options = new() { Name = name, Poller = Poller, LoggerFactory = Log };
        using IOLoop one = IOLoop.StartOnThread(options);
        IOLoop other = IOLoop.StartOnThread(options);
        await one.InvokeAsync(() => ExchangeAsync(1));
        await other.InvokeAsync(() => ExchangeAsync(100));
        Check(open: 2);
        other.Dispose();
        Check(open: 1);

        // Both sides have been received from, and one of them is closed.
        static async Task ExchangeAsync(int count)
        {
            (IOStream left, IOStream right) = IOStream.CreatePair(new IOStreamOptions { AllowHalfOpen = true });
            await left.WriteAsync(new byte[count]);
            await right.ReadBytesAsync(count);
            left.Close();
        }

        void Check(int open)
        {
            Dictionary<string, double> values = Measurements.Of(name);
            Assert.Equal((101, 101, open), (values["waterspout.bytes.sent"], values["waterspout.bytes.received"], values["waterspout.streams.open"]));
            Assert.Equal(2 + (2 - open), values["waterspout.streams.closed Local"]);
        }
    });

    [Fact]
    public void A_handshake_without_a_place_is_counted_as_waiting() => Run(async () =>
    {
        IOStreamOptions options = new() { MaxHandshakes = 1 };
        (Socket left, Socket one) = SocketPair.Tcp();
        (Socket right, Socket other) = SocketPair.Tcp();
        SslIOStream first = new(left, TestCertificates.ClientOptions(), options);
        SslIOStream second = new(right, TestCertificates.ClientOptions(), options);
        await Turn();
        Assert.Equal((2, 2, 1), (Handshakes("begun"), Handshakes("active"), Handshakes("waiting")));
        first.Close();
        await Turns(2);
        Assert.Equal((1, 0), (Handshakes("active"), Handshakes("waiting")));
        second.Close();
        one.Dispose();
        other.Dispose();
    });

    [Fact]
    public void Time_limits_that_expire_are_counted_by_operation() => Run(async () =>
    {
        TimeSpan soon = TimeSpan.FromMilliseconds(1);
        (IOStream reading, _) = IOStream.CreatePair();
        await Assert.ThrowsAsync<TimeoutException>(async () => await reading.ReadBytesAsync(1, timeout: soon));
        (IOStream writing, _) = IOStream.CreatePair(new IOStreamOptions { WriteTimeout = soon });
        await Assert.ThrowsAsync<StreamClosedException>(async () => await writing.WriteAsync(new byte[4 * 1024 * 1024].AsMemory()));
        (IOStream closing, _) = IOStream.CreatePair();
        closing.Write(new byte[4 * 1024 * 1024]);
        await closing.CloseAsync(soon);
        Dictionary<string, double> values = Measurements.Of(Loop.Name);
        Assert.All(["read", "write", "close"], operation => Assert.Equal(1, values[$"waterspout.timeouts {operation}"]));
        Assert.Equal(1, values["waterspout.reads.timed_out"]);
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_connection_of_AsStream_counts_its_bytes_while_it_is_open_and_after_that(bool isOpen) => Run(async () =>
    {
        (IOStream left, IOStream right) = IOStream.CreatePair();
        await left.WriteAsync("before"u8);
        await right.ReadBytesAsync(6);
        Stream adapter = right.AsStream();
        await left.WriteAsync("four"u8);
        await adapter.ReadExactlyAsync(new byte[4]);
        await adapter.WriteAsync("answer"u8.ToArray());
        await left.ReadBytesAsync(6);
        if (!isOpen)
        {
            left.Close();
            await adapter.DisposeAsync();
            while (Measurements.Of(Loop.Name)["waterspout.streams.open"] > 0) await Turn();
        }

        Dictionary<string, double> values = Measurements.Of(Loop.Name);
        Assert.Equal((16, 16), (values["waterspout.bytes.sent"], values["waterspout.bytes.received"]));
        if (isOpen) await adapter.DisposeAsync();
    });

    [Fact]
    public void The_lag_of_a_loop_is_recorded_while_somebody_listens() => Run(async () =>
    {
        List<double> lags = [];
        using (MeterListener listener = Measurements.Listen(Loop.Name, (key, lag) =>
        {
            if (key == "waterspout.loop.lag") lags.Add(lag);
        }))
        {
            await Turns(10);
            Assert.NotEmpty(lags);
            Assert.All(lags, lag => Assert.True(lag > 0));
        }

        int recorded = lags.Count;
        await Turns(10);
        Assert.Equal(recorded, lags.Count);
    });

    [Fact]
    public void A_connection_that_a_StreamListener_accepts_is_counted() => Run(async () =>
    {
        await using StreamListener listener = new(new IPEndPoint(IPAddress.Loopback, 0));
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(listener.LocalEndPoint);
        using IOStream accepted = await listener.AcceptAsync();
        Assert.Equal(1, Measurements.Of(Loop.Name)["waterspout.connections.accepted"]);
    });

    [Fact]
    public void Connections_of_a_server_are_counted_as_accepted_or_as_refused() => Run(async () =>
    {
        await using TcpServer server = new(
            static stream => stream.ReadUntilCloseAsync().AsTask(), new TcpServerOptions { OnConnection = static request => request.ConnectionCount < 2 });
        EndPoint address = server.Listen(0, "127.0.0.1");
        Socket[] clients = [.. Enumerable.Range(0, 3).Select(static _ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))];
        foreach (Socket client in clients) client.Connect(address);
        while (Measurements.Of(Loop.Name)["waterspout.connections.refused"] == 0) await Turn();
        Assert.Equal(2, Measurements.Of(Loop.Name)["waterspout.connections.accepted"]);
        foreach (Socket client in clients) client.Dispose();
    });

    [Fact]
    public void A_stream_that_is_open_is_counted_under_no_reason() => Run(() =>
    {
        (IOStream left, IOStream right) = IOStream.CreatePair();
        string[] tagged = [.. Measurements.Of(Loop.Name).Keys.Where(static key => key.Contains(' '))];
        Assert.DoesNotContain(tagged, static key => key.EndsWith(" None", StringComparison.Ordinal) || key.EndsWith(" _OTHER", StringComparison.Ordinal));
        left.Close();
        right.Close();
        return Task.CompletedTask;
    });

    private static SslIOStream Silent(TimeSpan? limit) => Silent(limit, out _);

    private static SslIOStream Silent(TimeSpan? limit, out Socket peer)
    {
        (Socket left, peer) = SocketPair.Tcp();
        return new SslIOStream(left, TestCertificates.ServerOptions(), new IOStreamOptions { HandshakeTimeout = limit });
    }

    private double Handshakes(string what) => Measurements.Of(Loop.Name)[$"waterspout.tls.handshakes.{what}"];

}
