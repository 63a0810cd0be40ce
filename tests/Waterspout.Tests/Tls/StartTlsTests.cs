using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Waterspout.Tests.Tls;

/// <summary>Upgrades of a plain connection.</summary>
public sealed class StartTlsTests : TlsTest
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_server_that_stops_closes_the_connections_that_its_handlers_have_upgraded(bool isInHandshake) => Run(async () =>
    {
        TaskCompletionSource upgrading = new();
        Exception? ended = null;
        await using TcpServer server = new(async plain =>
        {
            try
            {
                ValueTask<SslIOStream> upgrade = plain.StartTlsAsync(TestCertificates.ServerOptions());
                upgrading.SetResult();
                SslIOStream secure = await upgrade;
                await secure.WriteAsync("x"u8);
                await secure.ReadBytesAsync(1);
            }
            catch (StreamClosedException closed)
            {
                ended = closed;
                throw;
            }
        });
        using IOStream client = await IOStream.ConnectAsync("127.0.0.1", ((IPEndPoint)server.Listen(0, "127.0.0.1")).Port);
        await upgrading.Task;
        using IOStream other = isInHandshake ? client : await client.StartTlsAsync(TestCertificates.ClientOptions());
        if (!isInHandshake) await other.ReadBytesAsync(1);
        await server.StopAsync(TimeSpan.Zero);
        Assert.NotNull(ended);
        Assert.Equal(0, server.ConnectionCount);
    });

    [Fact]
    public void A_handler_that_ends_has_the_stream_that_it_has_upgraded_closed_in_good_order() => Run(async () =>
    {
        await using TcpServer server = new(async plain =>
        {
            SslIOStream secure = await plain.StartTlsAsync(TestCertificates.ServerOptions());
            await secure.WriteAsync("all"u8);
        });
        using IOStream client = await IOStream.ConnectAsync("127.0.0.1", ((IPEndPoint)server.Listen(0, "127.0.0.1")).Port);
        using SslIOStream secure = await client.StartTlsAsync(TestCertificates.ClientOptions());
        Assert.Equal("all", Text(await secure.ReadUntilCloseAsync()));
        while (server.ConnectionCount > 0) await Turn();
    });

    [Fact]
    public void A_handler_whose_upgrade_fails_is_no_unhandled_error()
    {
        List<Exception> reported = [];
        Run(async () =>
        {
            await using TcpServer server = new(async plain => await plain.StartTlsAsync(TestCertificates.ServerOptions()));
            using IOStream client = await IOStream.ConnectAsync("127.0.0.1", ((IPEndPoint)server.Listen(0, "127.0.0.1")).Port);
            await client.WriteAsync("GET / HTTP/1.0\r\n\r\n"u8);
            while (server.ConnectionCount == 0) await Turn();
            while (server.ConnectionCount > 0) await Turn();
        }, options => options.UnhandledException = reported.Add);
        Assert.Empty(reported);
    }

    [Fact]
    public void A_conversation_as_with_smtp() => Run(async () =>
    {
        (IOStream client, IOStream server) = Plain();
        Task serving = ServeAsync();
        await client.ReadUntilAsync("\r\n"u8);
        await client.WriteAsync("EHLO client\r\n"u8);
        await client.ReadUntilRegexAsync("250 [^\n]*\n");
        await client.WriteAsync("STARTTLS\r\n"u8);
        Assert.StartsWith("220", Text(await client.ReadUntilAsync("\r\n"u8)));
        SslIOStream upgraded = await client.StartTlsAsync(TestCertificates.ClientOptions());
        await upgraded.WriteAsync("EHLO client\r\n"u8);
        Assert.Equal("250 secure\r\n", Text(await upgraded.ReadUntilAsync("\r\n"u8)));
        await upgraded.CloseAsync();
        await serving;

        async Task ServeAsync()
        {
            await server.WriteAsync("220 ready\r\n"u8);
            await server.ReadUntilAsync("\r\n"u8);
            await server.WriteAsync("250-hello\r\n250 STARTTLS\r\n"u8);
            Assert.Equal("STARTTLS\r\n", Text(await server.ReadUntilAsync("\r\n"u8)));
            // No flush: the write has completed, and that is enough.
            await server.WriteAsync("220 go ahead\r\n"u8);
            SslIOStream secure = await server.StartTlsAsync(TestCertificates.ServerOptions());
            await secure.ReadUntilAsync("\r\n"u8);
            await secure.WriteAsync("250 secure\r\n"u8);
            await secure.CloseAsync();
        }
    });

    [Fact]
    public void A_single_byte_as_answer_as_with_postgresql() => Run(async () =>
    {
        (IOStream client, IOStream server) = Plain();
        Task<SslIOStream> serving = ServeAsync();
        await client.WriteAsync((ReadOnlySpan<byte>)[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
        Assert.Equal("S", Text(await client.ReadBytesAsync(1)));
        SslIOStream upgraded = await client.StartTlsAsync(TestCertificates.ClientOptions());
        await AssertEchoes(upgraded, await serving);

        async Task<SslIOStream> ServeAsync()
        {
            Assert.Equal(80877103, System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian((await server.ReadBytesAsync(8)).AsSpan(4)));
            await server.WriteAsync("S"u8);
            return await server.StartTlsAsync(TestCertificates.ServerOptions());
        }
    });

    [Theory]
    [MemberData(nameof(Protocols))]
    public void The_server_takes_a_hello_that_came_with_the_command(SslProtocols protocol) => Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        IOStream server = new(right);
        using SslStream client = new(new FirstWritePrefixed(new NetworkStream(left, ownsSocket: true), "STARTTLS\r\n"u8.ToArray()));
        SslClientAuthenticationOptions options = TestCertificates.ClientOptions();
        options.EnabledSslProtocols = protocol;
        Task handshake = client.AuthenticateAsClientAsync(options);
        Assert.Equal("STARTTLS\r\n", Text(await server.ReadUntilAsync("\r\n"u8)));
        // The rest of the segment is in the stream's own buffer now.
        Assert.Equal(22, (await server.PeekAsync(1)).Span[0]);
        SslIOStream upgraded = await server.StartTlsAsync(TestCertificates.ServerOptions());
        await handshake;
        await client.WriteAsync("hello\n"u8.ToArray());
        Assert.Equal("hello\n", Text(await upgraded.ReadUntilAsync("\n"u8)));
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_client_refuses_bytes_that_came_before_the_handshake(bool isBuffered) => Run(async () =>
    {
        (IOStream client, IOStream server) = Plain();
        await server.WriteAsync("220 go ahead\r\n"u8);
        Task closed = WhenClosed(client);
        if (isBuffered) await server.WriteAsync("250 injected\r\n"u8);
        await client.ReadUntilAsync("\r\n"u8);
        if (!isBuffered) await server.WriteAsync("!"u8);
        await server.FlushAsync();
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(() => client.StartTlsAsync(TestCertificates.ClientOptions()).AsTask());
        Assert.IsType<AuthenticationException>(error.InnerException);
        Assert.True(client.IsClosed);
        await closed;
    });

    [Fact]
    public void Not_while_something_is_pending_and_then_nothing_changes() => Run(async () =>
    {
        (IOStream client, IOStream server) = Plain();
        ValueTask<byte[]> read = client.ReadBytesAsync(1);
        await Assert.ThrowsAsync<InvalidOperationException>(() => client.StartTlsAsync(TestCertificates.ClientOptions()).AsTask());
        await server.WriteAsync("x"u8);
        Assert.Equal("x", Text(await read));

        byte[] data = new byte[24_000_000];
        Task write = client.WriteAsync((ReadOnlyMemory<byte>)data).AsTask();
        await Assert.ThrowsAsync<InvalidOperationException>(() => client.StartTlsAsync(TestCertificates.ClientOptions()).AsTask());
        await server.ReadBytesAsync(data.Length);
        await write;

        Assert.Throws<ArgumentNullException>(() => _ = client.StartTlsAsync((SslClientAuthenticationOptions)null!));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => client.StartTlsAsync(TestCertificates.ClientOptions(), new CancellationToken(canceled: true)).AsTask());
        Task<SslIOStream> upgrade = server.StartTlsAsync(TestCertificates.ServerOptions()).AsTask();
        await AssertEchoes(await client.StartTlsAsync(TestCertificates.ClientOptions()), await upgrade);
    });

    [Fact]
    public void The_upgraded_plain_stream_is_unusable() => Run(async () =>
    {
        (IOStream client, IOStream server) = Plain();
        Task<SslIOStream> serving = server.StartTlsAsync(TestCertificates.ServerOptions()).AsTask();
        SslIOStream upgraded = await client.StartTlsAsync(TestCertificates.ClientOptions());
        SslIOStream secure = await serving;
        await AssertUpgraded(client.ReadBytesAsync(1).AsTask());
        await AssertUpgraded(client.ReadUntilAsync("\n"u8).AsTask());
        await AssertUpgraded(client.WriteAsync("plain"u8).AsTask());
        await AssertUpgraded(client.FlushAsync().AsTask());
        await AssertUpgraded(client.CompleteWritesAsync().AsTask());
        Assert.Contains("upgraded", Assert.Throws<InvalidOperationException>(() => client.Write("plain"u8)).Message);
        await Assert.ThrowsAsync<InvalidOperationException>(() => client.StartTlsAsync(TestCertificates.ClientOptions()).AsTask());
        client.Close();
        client.Close(new IOException());
        await client.CloseAsync();
        client.Dispose();
        Assert.False(upgraded.IsClosed);
        await AssertEchoes(upgraded, secure);
        await Assert.ThrowsAsync<InvalidOperationException>(() => upgraded.StartTlsAsync(TestCertificates.ClientOptions()).AsTask());

        static async Task AssertUpgraded(Task operation) =>
            Assert.Contains("upgraded", (await Assert.ThrowsAsync<InvalidOperationException>(() => operation)).Message);
    });

    [Fact]
    public void Options_and_listeners_move_to_the_new_stream() => Run(async () =>
    {
        IOStreamOptions options = new() { ReadTimeout = TimeSpan.FromMilliseconds(20) };
        (Socket left, Socket right) = SocketPair.Tcp();
        IOStream client = new(left, options), server = new(right);
        Task closed = WhenClosed(client);
        CancellationToken told = client.Closed;
        Task<SslIOStream> serving = server.StartTlsAsync(TestCertificates.ServerOptions()).AsTask();
        SslIOStream upgraded = await client.StartTlsAsync(TestCertificates.ClientOptions());
        Assert.Same(options, upgraded.Options);
        await Assert.ThrowsAsync<TimeoutException>(() => upgraded.ReadBytesAsync(1).AsTask());
        await Turns(3);
        Assert.False(closed.IsCompleted || told.IsCancellationRequested || upgraded.Closed.IsCancellationRequested);
        await (await serving).CloseAsync(TimeSpan.Zero);
        await closed;
        Assert.True(told.IsCancellationRequested);
        Assert.True(upgraded.Closed.IsCancellationRequested);
        Assert.Equal(CloseReason.EndOfStream, upgraded.CloseReason);
    });

    [Fact]
    public void A_cancelled_handshake_closes_the_connection() => Run(async () =>
    {
        (IOStream client, IOStream server) = Plain();
        Task closed = WhenClosed(client);
        using CancellationTokenSource cancellation = new();
        Task<SslIOStream> upgrade = client.StartTlsAsync(TestCertificates.ClientOptions(), cancellation.Token).AsTask();
        await server.PeekAsync(1);
        cancellation.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => upgrade);
        await closed;
        await Assert.ThrowsAsync<StreamClosedException>(() => server.ReadBytesAsync(100_000).AsTask());
    });

    [Fact]
    public void A_handshake_that_fails_closes_the_connection() => Run(async () =>
    {
        (IOStream client, IOStream server) = Plain();
        Task closed = WhenClosed(client);
        Task<SslIOStream> serving = server.StartTlsAsync(TestCertificates.ServerOptions()).AsTask();
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(
            () => client.StartTlsAsync(TestCertificates.ClientOptions("wrong.test")).AsTask());
        Assert.IsType<AuthenticationException>(error.InnerException);
        await closed;
        // TLS 1.3: the server's side may have been done before the client refused it.
        if (await Record.ExceptionAsync(() => serving) is null)
            await Assert.ThrowsAsync<StreamClosedException>(async () => await (await serving).ReadBytesAsync(1));
    });

    [Fact]
    public void A_peer_that_closes_fails_the_upgrade() => Run(async () =>
    {
        (IOStream client, IOStream server) = Plain();
        Task<SslIOStream> upgrade = client.StartTlsAsync(TestCertificates.ClientOptions()).AsTask();
        await server.PeekAsync(1);
        Reset(server);
        Assert.Equal(CloseReason.Reset, (await Assert.ThrowsAsync<StreamClosedException>(() => upgrade)).Reason);

        (client, server) = Plain();
        server.Close();
        await WhenClosed(client);
        await Assert.ThrowsAsync<StreamClosedException>(() => client.StartTlsAsync(TestCertificates.ClientOptions()).AsTask());
    });

    private static (IOStream Client, IOStream Server) Plain()
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        return (new IOStream(left), new IOStream(right));
    }

    /// <summary>Prepends data to the first write, so that both are one segment.</summary>
    private sealed class FirstWritePrefixed(Stream inner, byte[] prefix) : DelegatingStream(inner)
    {
        private byte[]? _prefix = prefix;

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_prefix is not { } first) return base.WriteAsync(buffer, cancellationToken);
            _prefix = null;
            return base.WriteAsync((byte[])[.. first, .. buffer.Span], cancellationToken);
        }
    }
}
