using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Waterspout.Kestrel.Tests.Connections;

/// <summary>Connections without HTTP: what a handler and a middleware see of one.</summary>
public sealed class ConnectionHandlerTests
{
    [Theory, OnEachTransport]
    public async Task A_handler_echoes_until_the_client_ends(TransportKind transport)
    {
        await using TestServer server = await TestServer.StartRawAsync(transport, EchoAsync);
        using RawClient client = await server.ConnectAsync();
        for (int i = 0; i < 100; i++)
        {
            await client.SendAsync($"line {i}\n");
            Assert.Equal($"line {i}\n", await client.ReadUntilAsync("\n").InTime());
        }

        client.SendEof();
        Assert.Equal("", await client.ReadToEndAsync().InTime());
    }

    [Theory, OnEachTransport]
    public async Task A_megabyte_each_way_at_once(TransportKind transport)
    {
        await using TestServer server = await TestServer.StartRawAsync(transport, EchoAsync);
        using RawClient client = await server.ConnectAsync();
        byte[] data = new byte[1_000_000];
        Random.Shared.NextBytes(data);
        Task<string> received = client.ReadToEndAsync();
        await client.SendAsync(data).InTime();
        client.SendEof();
        Assert.Equal(Encoding.Latin1.GetString(data), await received.InTime());
    }

    [Theory, OnEachTransport]
    public async Task A_connection_has_the_features_of_Kestrels_own(TransportKind transport)
    {
        TaskCompletionSource<string> seen = new();
        await using TestServer server = await TestServer.StartRawAsync(transport, connection =>
        {
            try
            {
                CheckFeatures(connection);
                seen.SetResult(connection.RemoteEndPoint!.ToString()!);
            }
            catch (Exception error)
            {
                seen.SetException(error);
            }

            return Task.CompletedTask;
        });
        using RawClient client = await server.ConnectAsync();
        Assert.Equal(client.Socket.LocalEndPoint!.ToString(), await seen.Task.InTime());
        Assert.Equal("", await client.ReadToEndAsync().InTime());
    }

    [Theory, OnEachTransport]
    public async Task The_socket_of_the_feature_is_the_connections(TransportKind transport)
    {
        TaskCompletionSource<bool> noDelay = new();
        await using TestServer server = await TestServer.StartRawAsync(transport, async connection =>
        {
            Socket socket = connection.Features.Get<IConnectionSocketFeature>()!.Socket;
            noDelay.SetResult(socket.NoDelay);
            await connection.Transport.Output.WriteAsync(Encoding.ASCII.GetBytes(socket.RemoteEndPoint + "\n"));
        });
        using RawClient client = await server.ConnectAsync();
        Assert.Equal(client.Socket.LocalEndPoint + "\n", await client.ReadToEndAsync().InTime());
        Assert.True(await noDelay.Task.InTime());
    }

    [Theory, OnEachTransport]
    public async Task A_middleware_replaces_the_transport(TransportKind transport)
    {
        await using TestServer server = await TestServer.StartAsync(
            transport, static app => app.MapGet("/", static context => context.SendAsync("hello")), static listen => listen.Use(static next => async connection =>
            {
                IDuplexPipe original = connection.Transport;
                connection.Transport = new Duplex(original.Input, PipeWriter.Create(new UpperCase(original.Output.AsStream())));
                await next(connection);
                await connection.Transport.Output.CompleteAsync();
            }));
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        Assert.EndsWith("HELLO", await client.ReadToEndAsync().InTime(), StringComparison.Ordinal);
    }

    [Theory, OnEachTransport]
    public async Task A_handler_that_returns_with_unread_input_ends_the_connection(TransportKind transport)
    {
        await using TestServer server = await TestServer.StartRawAsync(transport, static async connection =>
        {
            await connection.Transport.Input.ReadAsync();
            await connection.Transport.Output.WriteAsync("bye"u8.ToArray());
        });
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("hello");
        Assert.Equal("bye", await client.ReadUntilAsync("bye").InTime());
        await client.ReadUntilErrorAsync().InTime();
    }

    private static void CheckFeatures(ConnectionContext connection)
    {
        Assert.NotEmpty(connection.ConnectionId);
        Assert.NotNull(connection.LocalEndPoint);
        Assert.Equal(connection.ConnectionId, Required<IConnectionIdFeature>(connection).ConnectionId);
        Assert.Same(connection.Transport, Required<IConnectionTransportFeature>(connection).Transport);
        Assert.Same(connection.Items, Required<IConnectionItemsFeature>(connection).Items);
        Assert.Equal(connection.ConnectionClosed, Required<IConnectionLifetimeFeature>(connection).ConnectionClosed);
        using (IMemoryOwner<byte> memory = Required<IMemoryPoolFeature>(connection).MemoryPool.Rent())
            Assert.True(memory.Memory.Length >= 4096);
        connection.Items["key"] = "value";
        connection.Features.Set<Marker>(new Marker());
        Assert.NotNull(connection.Features.Get<Marker>());
        Assert.NotNull(connection.Features.Get<IConnectionHeartbeatFeature>());
    }

    private static T Required<T>(ConnectionContext connection) => Assert.IsAssignableFrom<T>(connection.Features.Get<T>());

    private static async Task EchoAsync(ConnectionContext connection)
    {
        while (true)
        {
            ReadResult read = await connection.Transport.Input.ReadAsync();
            foreach (ReadOnlyMemory<byte> part in read.Buffer) connection.Transport.Output.Write(part.Span);
            connection.Transport.Input.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted) return;
            await connection.Transport.Output.FlushAsync();
        }
    }

    private sealed class Marker;

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private sealed class UpperCase(Stream inner) : MemoryStream
    {
        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            byte[] changed = buffer.ToArray();
            foreach (ref byte letter in changed.AsSpan())
                if (letter is >= (byte)'a' and <= (byte)'z') letter -= 32;
            await inner.WriteAsync(changed, cancellationToken);
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);
    }
}
