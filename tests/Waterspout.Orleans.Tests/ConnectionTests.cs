using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Waterspout.Kestrel.Tests;

namespace Waterspout.Orleans.Tests;

/// <summary>What Orleans relies on: how connections begin, and how they end.</summary>
public sealed class ConnectionTests : IAsyncLifetime
{
    private static readonly IPEndPoint s_any = new(IPAddress.Loopback, 0);

    private readonly OrleansTransportOptions _options = new();
    private WaterspoutTransport _transport = null!;
    private IConnectionListener _listener = null!;

    public async ValueTask InitializeAsync()
    {
        _transport = new WaterspoutTransport(Options.Create(_options), NullLoggerFactory.Instance);
        _listener = await _transport.BindAsync(s_any);
    }

    public async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync();
        _transport.Dispose();
    }

    [Fact]
    public async Task A_connection_has_the_addresses_of_both_ends()
    {
        (ConnectionContext client, ConnectionContext server) = await ConnectAsync();
        Assert.Equal(_listener.EndPoint, client.RemoteEndPoint);
        Assert.Equal(_listener.EndPoint, server.LocalEndPoint);
        Assert.Equal(client.LocalEndPoint, server.RemoteEndPoint);
        Assert.NotEqual(client.ConnectionId, server.ConnectionId);
        Assert.NotNull(client.Features.Get<IMemoryPoolFeature>());
        await EndAsync(client, server);
    }

    [Fact]
    public async Task An_abort_cancels_the_token_once_and_the_peer_gets_what_was_written_and_the_end()
    {
        (ConnectionContext client, ConnectionContext server) = await ConnectAsync();
        int count = 0;
        TaskCompletionSource closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        server.ConnectionClosed.Register(() =>
        {
            Interlocked.Increment(ref count);
            closed.TrySetResult();
        });
        await server.Transport.Output.WriteAsync("last words"u8.ToArray());
        server.Abort();
        server.Abort(new ConnectionAbortedException("again"));
        await closed.Task.InTime();
        await server.DisposeAsync();
        Assert.Equal("last words", await ReadToEndAsync(client));
        await EndAsync(client);
        Assert.Equal(1, count);
    }

    [Fact]
    public async Task A_pending_read_and_flush_end_when_they_are_cancelled_before_the_abort()
    {
        (ConnectionContext client, ConnectionContext server) = await ConnectAsync();
        ValueTask<ReadResult> read = server.Transport.Input.ReadAsync();
        ValueTask<FlushResult> flush = server.Transport.Output.WriteAsync(new byte[32 * 1024 * 1024]);
        Assert.False(flush.IsCompleted);
        server.Transport.Input.CancelPendingRead();
        server.Transport.Output.CancelPendingFlush();
        Assert.True((await read.AsTask().InTime()).IsCanceled);
        Assert.True((await flush.AsTask().InTime()).IsCanceled);
        server.Abort();
        await server.ConnectionClosed.Cancelled().InTime();
        await server.DisposeAsync();
        await EndAsync(client);
    }

    [Fact]
    public async Task A_cancel_before_the_call_counts_for_the_next_one()
    {
        (ConnectionContext client, ConnectionContext server) = await ConnectAsync();
        server.Transport.Input.CancelPendingRead();
        Assert.True((await server.Transport.Input.ReadAsync().AsTask().InTime()).IsCanceled);
        server.Transport.Output.CancelPendingFlush();
        Assert.True((await server.Transport.Output.FlushAsync().AsTask().InTime()).IsCanceled);
        await EndAsync(client, server);
    }

    [Fact]
    public async Task A_reset_by_the_peer_fails_the_read_and_cancels_the_token()
    {
        Task<ConnectionContext?> accepted = _listener.AcceptAsync().AsTask();
        using (Socket peer = new(SocketType.Stream, ProtocolType.Tcp))
        {
            await peer.ConnectAsync(_listener.EndPoint);
            peer.LingerState = new LingerOption(true, 0);
            ConnectionContext server = (await accepted.InTime())!;
            Task<ReadResult> read = server.Transport.Input.ReadAsync().AsTask();
            peer.Close();
            await Assert.ThrowsAnyAsync<IOException>(() => read.InTime());
            await server.Transport.Input.CompleteAsync();
            await server.Transport.Output.CompleteAsync();
            await server.ConnectionClosed.Cancelled().InTime();
            await server.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_callback_that_throws_stops_nothing()
    {
        (ConnectionContext client, ConnectionContext server) = await ConnectAsync();
        server.ConnectionClosed.Register(static () => throw new InvalidOperationException("on purpose"));
        await server.DisposeAsync().AsTask().InTime();
        await EndAsync(client);
    }

    [Fact]
    public async Task An_unbound_listener_ends_the_pending_accept_and_refuses_connections()
    {
        Task<ConnectionContext?> accepted = _listener.AcceptAsync().AsTask();
        await _listener.UnbindAsync();
        await _listener.UnbindAsync();
        Assert.Null(await accepted.InTime());
        Assert.Null(await _listener.AcceptAsync());
        await Assert.ThrowsAsync<StreamClosedException>(async () => await _transport.ConnectAsync(_listener.EndPoint));
    }

    [Fact]
    public async Task An_address_in_use_is_reported()
    {
        SocketException error = await Assert.ThrowsAsync<SocketException>(async () => await _transport.BindAsync(_listener.EndPoint));
        Assert.Equal(SocketError.AddressAlreadyInUse, error.SocketErrorCode);
    }

    [Fact]
    public async Task Sockets_probe_idle_peers_and_send_small_segments_at_once()
    {
        int checks = 0;
        _options.Stream = _options.Stream with { ConfigureSocket = Check };
        using WaterspoutTransport transport = new(Options.Create(_options), NullLoggerFactory.Instance);
        await using IConnectionListener listener = await transport.BindAsync(s_any);
        Task<ConnectionContext?> accepted = listener.AcceptAsync().AsTask();
        ConnectionContext client = await transport.ConnectAsync(listener.EndPoint);
        ConnectionContext server = (await accepted.InTime())!;
        Assert.Equal(1, checks);
        await EndAsync(client, server);

        void Check(Socket socket)
        {
            Assert.True(socket.NoDelay);
            Assert.NotEqual(0, (int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive)!);
            Assert.Equal(90, (int)socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime)!);
            checks++;
        }
    }

    [Fact]
    public async Task A_connection_that_cannot_be_set_up_does_not_end_accepting()
    {
        int calls = 0;
        _options.Stream = _options.Stream with { ConfigureSocket = _ => Assert.NotEqual(1, ++calls) };
        using WaterspoutTransport transport = new(Options.Create(_options), NullLoggerFactory.Instance);
        await using IConnectionListener listener = await transport.BindAsync(s_any);
        Task<ConnectionContext?> accepted = listener.AcceptAsync().AsTask();
        ConnectionContext first = await transport.ConnectAsync(listener.EndPoint);
        ConnectionContext second = await transport.ConnectAsync(listener.EndPoint);
        ConnectionContext server = (await accepted.InTime())!;
        Assert.Equal(second.LocalEndPoint, server.RemoteEndPoint);
        await EndAsync(first, second, server);
    }

    private async Task<(ConnectionContext Client, ConnectionContext Server)> ConnectAsync()
    {
        Task<ConnectionContext?> accepted = _listener.AcceptAsync().AsTask();
        ConnectionContext client = await _transport.ConnectAsync(_listener.EndPoint);
        return (client, (await accepted.InTime())!);
    }

    private static async Task<string> ReadToEndAsync(ConnectionContext connection)
    {
        while (true)
        {
            ReadResult result = await connection.Transport.Input.ReadAsync().AsTask().InTime();
            if (result.IsCompleted) return System.Text.Encoding.ASCII.GetString(result.Buffer.ToArray());
            connection.Transport.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    private static async Task EndAsync(params ConnectionContext[] connections)
    {
        foreach (ConnectionContext connection in connections) await connection.DisposeAsync().AsTask().InTime();
    }
}
