using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace Waterspout.Tests.Tls;

/// <summary>TLS servers.</summary>
public sealed class ServerTests : TlsTest
{
    private static readonly TimeSpan s_noDrain = TimeSpan.FromSeconds(5);

    [Fact]
    public void The_certificate_is_chosen_by_the_name_that_is_asked_for() => Run(async () =>
    {
        SslServerAuthenticationOptions options = new()
        {
            ServerCertificateSelectionCallback = (_, name) => name == "other.test" ? TestCertificates.OtherServer : TestCertificates.Server,
        };
        await using TcpServer server = new(EchoAsync, new TcpServerOptions { Ssl = options });
        EndPoint address = server.Listen(0, "127.0.0.1");
        foreach ((string name, X509Certificate2 certificate) in ((string, X509Certificate2)[])[("other.test", TestCertificates.OtherServer), (TestCertificates.Host, TestCertificates.Server)])
        {
            SslIOStream client = await ConnectAsync(address, TestCertificates.ClientOptions(name));
            Assert.Equal(certificate.Thumbprint, client.RemoteCertificate!.Thumbprint);
            await AssertEchoes(client);
            await client.CloseAsync();
        }
    });

    [Fact]
    public void The_handler_is_called_when_the_handshake_is_done_and_the_end_is_in_order() => Run(async () =>
    {
        SslIOStream? handled = null;
        await using TcpServer server = new(async stream =>
        {
            handled = Assert.IsType<SslIOStream>(stream);
            Assert.Equal(TestCertificates.Host, handled.TargetHostName);
            await stream.WriteAsync("bye"u8);
        }, new TcpServerOptions { Ssl = TestCertificates.ServerOptions() });
        SslIOStream client = await ConnectAsync(server.Listen(0, "127.0.0.1"));
        Assert.Equal("bye", Text(await client.ReadUntilCloseAsync()));
        Assert.Equal(CloseReason.EndOfStream, client.CloseReason);
    });

    [Theory]
    [InlineData("")]
    [InlineData("GET / HTTP/1.1\r\nHost: here\r\n\r\n")]
    [InlineData("\x16\x03\x01\xff\xff garbage behind the header of a record")]
    [InlineData("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00")]
    public void What_is_not_a_handshake_is_closed_without_a_warning(string sent) => Run(async () =>
    {
        bool isHandled = false;
        await using TcpServer server = new(stream =>
        {
            isHandled = true;
            return EchoAsync(stream);
        }, new TcpServerOptions { Ssl = TestCertificates.ServerOptions() });
        EndPoint address = server.Listen(0, "127.0.0.1");
        IOStream stranger = new(NewSocket());
        await stranger.ConnectAsync(address);
        await stranger.WriteAsync(Bytes(sent));
        if (sent.Length == 0 || sent[3] == '\xff') await stranger.CompleteWritesAsync();
        await ReadToTheEnd(stranger);
        Assert.False(isHandled);
        SslIOStream client = await ConnectAsync(address);
        await AssertEchoes(client);
        await client.CloseAsync();
        Assert.DoesNotContain(Log.Lines, line => line.Level > LogLevel.Information);
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_peer_that_does_not_finish_its_handshake_is_dropped(bool trickles) => Run(async () =>
    {
        await using TcpServer server = new(EchoAsync, new TcpServerOptions
        {
            Ssl = TestCertificates.ServerOptions(),
            HandshakeTimeout = TimeSpan.FromMilliseconds(200),
        });
        IOStream slow = new(NewSocket());
        await slow.ConnectAsync(server.Listen(0, "127.0.0.1"));
        // A record of the largest size, a byte now and then: there is always something new, and never a complete record.
        await slow.WriteAsync((ReadOnlySpan<byte>)[0x16, 0x03, 0x01, 0x40, 0x00, 0x01]);
        using IDisposable? trickle = !trickles ? null : Loop.CallEvery(TimeSpan.FromMilliseconds(1), () => _ = slow.WriteAsync("\0"u8));
        await ReadToTheEnd(slow);
        while (server.ConnectionCount > 0) await Turn();
    });

    [Fact]
    public void A_handshake_that_takes_too_long_closes_with_that_reason() => Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        using Socket silent = left;
        SslIOStream server = new(right, TestCertificates.ServerOptions(), new IOStreamOptions { HandshakeTimeout = TimeSpan.FromMilliseconds(20) });
        Assert.False(await server.TryHandshakeAsync());
        Assert.Equal(CloseReason.Timeout, server.CloseReason);
        Assert.IsType<TimeoutException>(server.Error);
        LogLine line = Assert.Single(Log.Lines, line => line.Message.Contains(" closed: "));
        Assert.Equal((LogLevel.Information, null), (line.Level, line.Error));
        Assert.Equal((1, 1), (Loop.Counters.HandshakesFailed, Loop.Counters.Closes[(int)CloseReason.Timeout]));
    });

    [Fact]
    public void A_thousand_silent_peers_do_not_hold_up_another_one() => Run(async () =>
    {
        await using TcpServer server = new(EchoAsync, new TcpServerOptions { Ssl = TestCertificates.ServerOptions() });
        EndPoint address = server.Listen(0, "127.0.0.1");
        List<IOStream> silent = [];
        for (int i = 0; i < 1000; i++)
        {
            IOStream stream = new(NewSocket());
            await stream.ConnectAsync(address);
            silent.Add(stream);
        }

        while (server.ConnectionCount < 1000) await Turn();
        SslIOStream client = await ConnectAsync(address);
        await AssertEchoes(client);
        Assert.Equal(1001, server.ConnectionCount);
        await server.StopAsync(TimeSpan.Zero);
        Assert.Equal(0, server.ConnectionCount);
        foreach (IOStream stream in silent) stream.Close();
    });

    [Fact]
    public void A_handler_that_fails_closes_its_own_stream_without_a_regular_end()
    {
        ExpectLog("handler of");
        Run(async () =>
        {
            await using TcpServer server = new(async stream =>
            {
                await stream.ReadBytesAsync(1);
                throw new FormatException("thrown by a test");
            }, new TcpServerOptions { Ssl = TestCertificates.ServerOptions() });
            EndPoint address = server.Listen(0, "127.0.0.1");
            SslIOStream failing = await ConnectAsync(address), other = await ConnectAsync(address);
            await failing.WriteAsync("x"u8);
            StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(() => failing.ReadUntilCloseAsync().AsTask());
            Assert.Equal(CloseReason.Truncated, error.Reason);
            Assert.False(other.IsClosed);
            other.Close();
        });
    }

    [Fact]
    public void No_more_connections_than_allowed_are_open_and_the_others_wait() => Run(async () =>
    {
        await using TcpServer server = new(EchoAsync, new TcpServerOptions { Ssl = TestCertificates.ServerOptions(), MaxConnections = 2 });
        EndPoint address = server.Listen(0, "127.0.0.1");
        SslIOStream first = await ConnectAsync(address), second = await ConnectAsync(address);
        Task<SslIOStream> third = ConnectAsync(address);
        await AssertEchoes(first);
        Assert.False(third.IsCompleted);
        Assert.Equal(2, server.ConnectionCount);
        await second.CloseAsync();
        await AssertEchoes(await third);
        (await third).Close();
        first.Close();
    });

    [Fact]
    public void Stopping_waits_for_handlers_and_then_closes_what_is_left() => Run(async () =>
    {
        TaskCompletionSource release = new();
        int ended = 0;
        TcpServer server = new(async stream =>
        {
            try
            {
                if (Text(await stream.ReadBytesAsync(1)) == "w") await release.Task;
                else await stream.ReadBytesAsync(1);
                await stream.WriteAsync("done"u8);
            }
            finally
            {
                ended++;
            }
        }, new TcpServerOptions { Ssl = TestCertificates.ServerOptions() });
        EndPoint address = server.Listen(0, "127.0.0.1");
        SslIOStream waiting = await ConnectAsync(address);
        await waiting.WriteAsync("w"u8);
        await waiting.FlushAsync();
        Task stop = server.StopAsync(s_noDrain);
        await Turns(3);
        Assert.False(stop.IsCompleted);
        release.SetResult();
        Assert.Equal("done", Text(await waiting.ReadUntilCloseAsync()));
        await stop;
        Assert.Equal(1, ended);

        server = new TcpServer(EchoAsync, new TcpServerOptions { Ssl = TestCertificates.ServerOptions() });
        SslIOStream idle = await ConnectAsync(server.Listen(0, "127.0.0.1"));
        await AssertEchoes(idle);
        await server.StopAsync(TimeSpan.Zero);
        Assert.Equal(0, server.ConnectionCount);
        Assert.Equal(CloseReason.Truncated, (await Assert.ThrowsAsync<StreamClosedException>(() => idle.ReadUntilCloseAsync().AsTask())).Reason);
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void No_callback_of_a_handshake_runs_on_the_loop(bool requiresClient) => Run(async () =>
    {
        List<bool> isOnLoop = [];
        bool Note(bool result = true)
        {
            lock (isOnLoop) isOnLoop.Add(Loop.IsCurrent);
            return result;
        }

        SslServerAuthenticationOptions serverOptions = new()
        {
            ServerCertificateSelectionCallback = (_, _) =>
            {
                Note();
                return TestCertificates.Server;
            },
            ClientCertificateRequired = requiresClient,
            RemoteCertificateValidationCallback = (_, _, _, _) => Note(),
        };
        SslClientAuthenticationOptions clientOptions = TestCertificates.ClientOptions();
        clientOptions.RemoteCertificateValidationCallback = (_, _, _, errors) => Note(errors == SslPolicyErrors.None);
        (SslIOStream client, SslIOStream server) = await ConnectPairAsync(null, clientOptions, serverOptions);
        Assert.Equal([false, false, false], isOnLoop);
        client.Close();
        server.Close();
    });

    [Fact]
    public void A_storm_of_handshakes_does_not_stall_an_established_connection() => Run(async () =>
    {
        const int Storm = 200;
        await using TcpServer server = new(EchoAsync, new TcpServerOptions { Ssl = TestCertificates.ServerOptions() });
        EndPoint address = server.Listen(0, "127.0.0.1");
        SslIOStream established = await ConnectAsync(address);
        List<double> times = [];
        Task storm = Task.WhenAll(Enumerable.Range(0, Storm).Select(async _ =>
        {
            SslClientAuthenticationOptions options = TestCertificates.ClientOptions();
            options.AllowTlsResume = false;
            SslIOStream client = await ConnectAsync(address, options);
            await AssertEchoes(client);
            await client.CloseAsync();
        }));
        while (!storm.IsCompleted)
        {
            long begun = System.Diagnostics.Stopwatch.GetTimestamp();
            await AssertEchoes(established);
            times.Add(System.Diagnostics.Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }

        await storm;
        // Not a measure of time: if handshakes were done on the loop, each would allow at most one round trip in between.
        Assert.True(times.Count > Storm, $"{times.Count} round trips during {Storm} handshakes.");
        times.Sort();
        TestContext.Current.TestOutputHelper?.WriteLine($"{times.Count} round trips, median {times[times.Count / 2]:F2} ms, 99 % {times[times.Count * 99 / 100]:F2} ms, worst {times[^1]:F2} ms");
        await established.CloseAsync();
    });

    private static async Task EchoAsync(IOStream stream)
    {
        while (true) await stream.WriteAsync(await stream.ReadUntilAsync("\n"u8));
    }

    private static async Task AssertEchoes(SslIOStream client)
    {
        await client.WriteAsync("echo\n"u8);
        Assert.Equal("echo\n", Text(await client.ReadUntilAsync("\n"u8)));
    }

    private static async Task<SslIOStream> ConnectAsync(EndPoint address, SslClientAuthenticationOptions? options = null)
    {
        SslIOStream client = new(NewSocket(), options ?? TestCertificates.ClientOptions());
        await client.ConnectAsync(address);
        return client;
    }

    private static async Task ReadToTheEnd(IOStream stream)
    {
        try
        {
            await stream.ReadUntilCloseAsync();
        }
        catch (StreamClosedException error)
        {
            Assert.Equal(CloseReason.Reset, error.Reason);
        }
    }

    private static Socket NewSocket() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
}
