using System.Net.Sockets;
using System.Security.Authentication;

namespace Waterspout.Tests.Tls;

/// <summary>How a TLS connection ends, and what is reported to each side.</summary>
public sealed class EndingTests : TlsTest
{
    private static readonly IOStreamOptions s_halfOpen = new() { AllowHalfOpen = true };

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void An_orderly_close_differs_from_a_cut(bool isClient, bool isInOrder) => Run(async () =>
    {
        (SslIOStream client, SslIOStream server) = await ConnectPairAsync();
        await AssertEchoes(client, server);
        (SslIOStream closing, SslIOStream told) = isClient ? (client, server) : (server, client);
        Task<byte[]> read = told.ReadUntilCloseAsync().AsTask();
        await closing.WriteAsync("last words"u8);
        await closing.FlushAsync();
        if (isInOrder)
        {
            await closing.CloseAsync();
            Assert.Equal("last words", Text(await read));
            Assert.Equal(CloseReason.EndOfStream, told.CloseReason);
        }
        else
        {
            closing.Close();
            Assert.Equal(CloseReason.Truncated, (await Assert.ThrowsAsync<StreamClosedException>(() => read)).Reason);
            Assert.Equal(CloseReason.Truncated, told.CloseReason);
            // What had arrived can still be read.
            Assert.Equal("last words", Text(await told.ReadBytesAsync(10)));
        }
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_close_in_order_waits_for_the_handshake_that_its_data_needs(bool isClient) => Run(async () =>
    {
        (SslIOStream client, SslIOStream server) = BeginPair();
        (SslIOStream closing, SslIOStream other) = isClient ? (client, server) : (server, client);
        await closing.WriteAsync("data"u8);
        Task close = closing.CloseAsync().AsTask();
        await AssertFails(closing.WriteAsync("late"u8));
        Assert.Equal("data", Text(await other.ReadUntilCloseAsync()));
        await close;
        Assert.Equal(CloseReason.Local, closing.CloseReason);
    });

    [Fact]
    public void So_it_does_for_a_connection_and_a_handshake() => Run(async () =>
    {
        using TestListener listener = new();
        SslIOStream client = new(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp), TestCertificates.ClientOptions());
        ValueTask connect = client.ConnectAsync(listener.EndPoint);
        await client.WriteAsync("data"u8);
        Task close = client.CloseAsync().AsTask();
        SslIOStream server = new(await listener.AcceptAsync(), TestCertificates.ServerOptions());
        Assert.Equal("data", Text(await server.ReadUntilCloseAsync()));
        await connect;
        await close;
        Assert.Equal(CloseReason.Local, client.CloseReason);
    });

    [Fact]
    public void A_close_in_order_without_data_does_not_wait_for_the_handshake() => Run(async () =>
    {
        (SslIOStream client, SslIOStream server) = BeginPair();
        await client.CloseAsync();
        Assert.True(client.IsClosed);
        await server.CloseAsync();
    });

    private static Task AssertFails(ValueTask operation) => Assert.ThrowsAsync<StreamClosedException>(operation.AsTask);

    [Fact]
    public void A_cut_may_be_allowed() => Run(async () =>
    {
        (SslIOStream client, SslIOStream server) = await ConnectPairAsync(new IOStreamOptions { AllowTruncation = true });
        await AssertEchoes(client, server);
        Task<byte[]> read = client.ReadUntilCloseAsync().AsTask();
        await server.WriteAsync("last words"u8);
        await server.FlushAsync();
        server.Close();
        Assert.Equal("last words", Text(await read));
        Assert.Equal(CloseReason.EndOfStream, client.CloseReason);
    });

    [Theory]
    [MemberData(nameof(Protocols))]
    public void One_direction_ends_and_the_other_stays_open(SslProtocols protocol) => Run(async () =>
    {
        var serverOptions = TestCertificates.ServerOptions();
        serverOptions.EnabledSslProtocols = protocol;
        (SslIOStream client, SslIOStream server) = await ConnectPairAsync(s_halfOpen, server: serverOptions);
        await client.WriteAsync("request"u8);
        await client.CompleteWritesAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => client.WriteAsync("more"u8).AsTask());
        Assert.Equal("request", Text(await server.ReadUntilCloseAsync()));
        Assert.False(server.IsClosed);
        byte[] answer = new byte[1_000_000];
        Random.Shared.NextBytes(answer);
        Task write = server.WriteAsync((ReadOnlyMemory<byte>)answer).AsTask();
        Assert.Equal(answer, await client.ReadBytesAsync(answer.Length));
        await write;
        Task<byte[]> end = client.ReadUntilCloseAsync().AsTask();
        Task closed = WhenClosed(server);
        await server.CompleteWritesAsync();
        Assert.Empty(await end);
        await closed;
        Assert.True(client.IsClosed);
        Assert.Equal(CloseReason.EndOfStream, client.CloseReason);
        Assert.Equal(CloseReason.EndOfStream, server.CloseReason);
    });

    [Fact]
    public void A_close_during_the_handshake_fails_what_waits_but_not_within_the_call() => Run(async () =>
    {
        ExpectUnsent();
        (SslIOStream client, SslIOStream server) = BeginPair();
        bool isWithinClose = false, wasWithinClose = false;
        Task waiting = WaitAsync(client.WaitForHandshakeAsync());
        Task<byte[]> read = client.ReadBytesAsync(1).AsTask();
        Task write = client.WriteAsync((ReadOnlyMemory<byte>)new byte[100_000]).AsTask();
        isWithinClose = true;
        client.Close();
        isWithinClose = false;
        await waiting;
        Assert.False(wasWithinClose, "A user's code ran inside another call of the user's.");
        Assert.Equal(CloseReason.Local, (await Assert.ThrowsAsync<StreamClosedException>(() => read)).Reason);
        await Assert.ThrowsAsync<StreamClosedException>(() => write);
        await Assert.ThrowsAsync<StreamClosedException>(() => server.WaitForHandshakeAsync().AsTask());
        Assert.NotEqual(CloseReason.EndOfStream, server.CloseReason);

        async Task WaitAsync(ValueTask handshake)
        {
            await Assert.ThrowsAsync<StreamClosedException>(handshake.AsTask);
            wasWithinClose = isWithinClose;
        }
    });

    [Fact]
    public void A_close_in_order_during_the_handshake_does_not_wait_for_it() => Run(async () =>
    {
        (SslIOStream client, SslIOStream server) = BeginPair();
        await client.CloseAsync();
        Assert.True(client.IsClosed);
        await Assert.ThrowsAsync<StreamClosedException>(() => server.WaitForHandshakeAsync().AsTask());
    });

    [Fact]
    public void Very_many_may_wait_for_a_handshake_that_fails() => Run(async () =>
    {
        (SslIOStream client, SslIOStream server) = BeginPair();
        Task<StreamClosedException>[] waits = [.. Enumerable.Range(0, 5000).Select(_ => Assert.ThrowsAsync<StreamClosedException>(() => client.WaitForHandshakeAsync().AsTask()))];
        client.Close();
        StreamClosedException[] errors = await Task.WhenAll(waits);
        Assert.Equal(errors.Length, errors.Distinct().Count());
        server.Close();
    });

    [Fact]
    public void Very_many_may_wait_for_a_handshake_and_give_up() => Run(async () =>
    {
        const int Count = 100_000;
        (Socket left, Socket right) = SocketPair.Tcp();
        SslIOStream client = new(left, TestCertificates.ClientOptions());
        CancellationTokenSource[] sources = [.. Enumerable.Range(0, Count).Select(static _ => new CancellationTokenSource())];
        Task[] waits = [.. sources.Select(source => client.WaitForHandshakeAsync(source.Token).AsTask())];
        Task last = client.WaitForHandshakeAsync().AsTask();
        foreach (CancellationTokenSource source in sources.AsEnumerable().Reverse()) source.Cancel();
        while (!waits[0].IsCompleted) await Turn();
        Assert.All(waits, static wait => Assert.True(wait.IsCanceled));
        SslIOStream server = new(right, TestCertificates.ServerOptions());
        await last;
        await AssertEchoes(client, server);
    });

    [Fact]
    public void A_close_during_a_blocked_write_fails_it() => Run(async () =>
    {
        ExpectUnsent();
        (SslIOStream client, SslIOStream server) = await ConnectPairAsync();
        Task write = client.WriteAsync((ReadOnlyMemory<byte>)new byte[24_000_000]).AsTask();
        await server.ReadBytesAsync(1);
        Assert.False(write.IsCompleted);
        client.Close();
        Assert.Equal(CloseReason.Local, (await Assert.ThrowsAsync<StreamClosedException>(() => write)).Reason);
        await Assert.ThrowsAsync<StreamClosedException>(() => server.ReadBytesAsync(24_000_000).AsTask());
        Assert.NotEqual(CloseReason.EndOfStream, server.CloseReason);
    });

    [Fact]
    public void An_orderly_close_discards_what_the_peer_still_sends() => Run(async () =>
    {
        (SslIOStream client, SslIOStream server) = await ConnectPairAsync(s_halfOpen);
        byte[] unread = new byte[5_000_000];
        Task write = server.WriteAsync((ReadOnlyMemory<byte>)unread).AsTask();
        await client.WriteAsync("bye"u8);
        Task close = client.CloseAsync().AsTask();
        Assert.Equal("bye", Text(await server.ReadUntilCloseAsync()));
        await write;
        await server.CloseAsync();
        await close;
        Assert.Equal(CloseReason.Local, client.CloseReason);
        Assert.Null(server.Error);
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_close_with_records_unread_does_not_wait_for_a_reader(bool isInOrder) => Run(async () =>
    {
        (SslIOStream client, SslIOStream server) = await ConnectPairAsync();
        await server.WriteAsync((ReadOnlyMemory<byte>)new byte[100_000]);
        await client.ReadBytesAsync(1);
        Task closed = WhenClosed(server);
        if (isInOrder) await client.CloseAsync();
        else client.Close();
        Assert.True(client.IsClosed);
        await closed;
    });

    [Fact]
    public void Both_sides_close_at_the_same_time() => Run(async () =>
    {
        for (int i = 0; i < 50; i++)
        {
            (SslIOStream client, SslIOStream server) = await ConnectPairAsync();
            if (i % 3 == 0) await client.WriteAsync("unread"u8);
            await Task.WhenAll(client.CloseAsync().AsTask(), server.CloseAsync().AsTask());
            Assert.True(client.IsClosed && server.IsClosed);
            Assert.Null(client.Error);
            Assert.Null(server.Error);
        }
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_reset_is_reported_as_one_and_keeps_what_had_arrived(bool isReading) => Run(async () =>
    {
        (SslIOStream client, SslIOStream server) = await ConnectPairAsync();
        await AssertEchoes(client, server);
        Task<byte[]>? read = isReading ? client.ReadBytesAsync(100).AsTask() : null;
        Task closed = WhenClosed(client);
        await server.WriteAsync("arrived"u8);
        await server.FlushAsync();
        Reset(server);
        if (read is not null) Assert.Equal(CloseReason.Reset, (await Assert.ThrowsAsync<StreamClosedException>(() => read)).Reason);
        await closed;
        Assert.Equal(CloseReason.Reset, client.CloseReason);
        Assert.IsType<System.Net.Sockets.SocketException>(client.Error);
        Assert.Equal("arrived", Text(await client.ReadBytesAsync(7)));
        await Assert.ThrowsAsync<StreamClosedException>(() => client.ReadBytesAsync(1).AsTask());
    });

    [Fact]
    public void The_second_of_two_records_in_one_segment_needs_no_event_of_its_own() => Run(async () =>
    {
        Relay relay = new Relay(Relaying.InLumps).Start();
        SslIOStream client = new(relay.Left, TestCertificates.ClientOptions()), server = new(relay.Right, TestCertificates.ServerOptions());
        await AssertEchoes(client, server);
        for (int i = 0; i < 20; i++)
        {
            await server.WriteAsync("1234"u8);
            await server.FlushAsync();
        }

        // Between the reads the socket is not used: the relay has sent everything, in one piece.
        for (int i = 0; i < 20; i++) Assert.Equal("1234", Text(await client.ReadBytesAsync(4)));
        client.Close();
        server.Close();
    });
}
