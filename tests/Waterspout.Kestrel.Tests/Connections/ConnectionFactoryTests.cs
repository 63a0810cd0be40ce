using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Connections;

namespace Waterspout.Kestrel.Tests.Connections;

/// <summary>Outgoing connections, to a server on each transport.</summary>
public sealed class ConnectionFactoryTests
{
    private readonly WaterspoutConnectionFactory _factory = new();

    [Theory, OnEachTransport]
    public async Task By_address_and_by_name(TransportKind transport)
    {
        await using TestServer server = await TestServer.StartRawAsync(transport, EchoAsync);
        foreach (EndPoint endPoint in (EndPoint[])[server.EndPoint, new DnsEndPoint("localhost", server.EndPoint.Port)])
        {
            await using ConnectionContext connection = await _factory.ConnectAsync(endPoint).AsTask().InTime();
            Assert.Equal(server.EndPoint.Port, ((IPEndPoint)connection.RemoteEndPoint!).Port);
            Assert.NotNull(connection.LocalEndPoint);
            await connection.Transport.Output.WriteAsync("hello"u8.ToArray());
            ReadResult result = await connection.Transport.Input.ReadAtLeastAsync(5).AsTask().InTime();
            Assert.Equal("hello", Encoding.ASCII.GetString(result.Buffer));
            connection.Transport.Input.AdvanceTo(result.Buffer.End);
        }
    }

    [Fact]
    public async Task By_a_path()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        try
        {
            await using ConnectionContext connection = await _factory.ConnectAsync(new UnixDomainSocketEndPoint(path)).AsTask().InTime();
            using Socket accepted = await listener.AcceptAsync().InTime();
            await connection.Transport.Output.WriteAsync("x"u8.ToArray());
            Assert.Equal(1, await accepted.ReceiveAsync(new byte[1]).InTime());
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task A_refused_connection_is_an_error_with_its_reason()
    {
        using Socket bound = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        bound.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(() => _factory.ConnectAsync(bound.LocalEndPoint!).AsTask().InTime());
        Assert.IsType<SocketException>(error.InnerException);
    }

    [Theory, OnEachTransport]
    public async Task Disposing_sends_what_is_unsent_and_the_end(TransportKind transport)
    {
        TaskCompletionSource<long> received = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await TestServer.StartRawAsync(transport, async connection =>
        {
            ReadResult all;
            while (!(all = await connection.Transport.Input.ReadAsync()).IsCompleted) connection.Transport.Input.AdvanceTo(all.Buffer.Start, all.Buffer.End);
            received.SetResult(all.Buffer.Length);
        });
        await using (ConnectionContext connection = await _factory.ConnectAsync(server.EndPoint).AsTask().InTime())
        {
            connection.Transport.Output.Write(new byte[500_000]);
        }

        Assert.Equal(500_000, await received.Task.InTime());
    }

    [Theory, OnEachTransport]
    public async Task Aborting_resets_and_closes(TransportKind transport)
    {
        TaskCompletionSource<Exception?> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await TestServer.StartRawAsync(transport, async connection =>
            ended.SetResult(await Record.ExceptionAsync(async () => await connection.Transport.Input.ReadAsync())));
        await using ConnectionContext connection = await _factory.ConnectAsync(server.EndPoint).AsTask().InTime();
        connection.Abort();
        await connection.ConnectionClosed.Cancelled().InTime();
        Assert.IsType<ConnectionResetException>(await ended.Task.InTime());
    }

    [Theory, OnEachTransport]
    public async Task The_token_is_cancelled_when_the_server_ends_the_connection(TransportKind transport)
    {
        await using TestServer server = await TestServer.StartRawAsync(transport, static _ => Task.CompletedTask);
        await using ConnectionContext connection = await _factory.ConnectAsync(server.EndPoint).AsTask().InTime();
        Assert.True((await connection.Transport.Input.ReadAsync().AsTask().InTime()).IsCompleted);
        await connection.ConnectionClosed.Cancelled().InTime();
    }

    private static async Task EchoAsync(ConnectionContext connection)
    {
        while (true)
        {
            ReadResult result = await connection.Transport.Input.ReadAsync();
            foreach (ReadOnlyMemory<byte> piece in result.Buffer) await connection.Transport.Output.WriteAsync(piece);
            connection.Transport.Input.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted) return;
        }
    }
}
