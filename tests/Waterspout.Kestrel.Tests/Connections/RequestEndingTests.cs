using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;

namespace Waterspout.Kestrel.Tests.Connections;

/// <summary>Requests and answers that end before they are whole, and ends that are seen through a middleware.</summary>
public sealed class RequestEndingTests
{
    [Theory, OnEachTransport]
    public async Task A_client_that_ends_its_side_aborts_its_request(TransportKind transport)
    {
        int count = 0;
        TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource aborted = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await TestServer.StartAsync(transport, app => app.MapGet("/", async context =>
        {
            context.RequestAborted.Register(() => Interlocked.Increment(ref count));
            started.SetResult();
            await context.RequestAborted.Cancelled();
            aborted.SetResult();
        }));
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await started.Task.InTime();
        client.SendEof();
        await aborted.Task.InTime();
        await server.StopAsync().InTime();
        Assert.Equal(1, count);
    }

    [Theory, OnEachTransport]
    public async Task An_abort_in_the_middle_of_a_body_ends_the_read_and_resets(TransportKind transport)
    {
        TaskCompletionSource<Exception?> seen = new();
        await using TestServer server = await TestServer.StartAsync(transport, app => app.MapPost("/", async context =>
        {
            byte[] buffer = new byte[100];
            await context.Request.Body.ReadExactlyAsync(buffer.AsMemory(0, 5));
            ValueTask<int> read = context.Request.Body.ReadAsync(buffer);
            context.Abort();
            seen.SetResult(await Record.ExceptionAsync(async () => await read));
        }));
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345");
        Assert.Equal(SocketError.ConnectionReset, await client.ReadUntilErrorAsync().InTime());
        Assert.IsAssignableFrom<Exception>(await seen.Task.InTime());
    }

    [Theory, OnEachWire]
    public async Task An_error_in_the_middle_of_an_answer_is_one_for_the_client(TransportKind transport, Wire wire)
    {
        await using TestServer server = await TestServer.StartAsync(transport, wire, static app => app.MapGet("/", static async context =>
        {
            context.Response.ContentLength = 100;
            await context.Response.WriteAsync("some");
            await context.Response.Body.FlushAsync();
            throw new InvalidOperationException("enough");
        }));
        using HttpClient client = server.CreateWireClient();
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetStringAsync("/"));
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetStringAsync("/"));
    }

    [Theory, OnEachTransport]
    public async Task A_client_that_leaves_is_seen_through_a_middleware(TransportKind transport)
    {
        TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await TestServer.StartAsync(transport, static _ => { }, listen =>
        {
            listen.Use(static next => async connection =>
            {
                using CancellationTokenSource source = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed);
                connection.ConnectionClosed = source.Token;
                await next(connection);
            });
            listen.Use(_ => async connection =>
            {
                started.SetResult();
                await connection.ConnectionClosed.Cancelled();
                closed.SetResult();
            });
        });
        using RawClient client = await server.ConnectAsync();
        await started.Task.InTime();
        client.SendEof();
        await closed.Task.InTime();
    }

    [Theory, OnEachTransport]
    public async Task An_abort_by_a_middleware_reaches_the_client_and_the_handler(TransportKind transport)
    {
        TaskCompletionSource<Exception?> seen = new();
        TaskCompletionSource read = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await TestServer.StartAsync(transport, static _ => { }, listen =>
        {
            listen.Use(next => async connection =>
            {
                Task running = next(connection);
                await read.Task;
                connection.Abort(new ConnectionAbortedException("enough"));
                await running;
            });
            listen.Use(_ => async connection => seen.SetResult(await Record.ExceptionAsync(async () =>
            {
                connection.Transport.Input.AdvanceTo((await connection.Transport.Input.ReadAsync()).Buffer.End);
                read.SetResult();
                await connection.Transport.Input.ReadAsync();
            })));
        });
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("hello");
        Assert.Equal(SocketError.ConnectionReset, await client.ReadUntilErrorAsync().InTime());
        Assert.Equal("enough", Assert.IsType<ConnectionAbortedException>(await seen.Task.InTime()).Message);
    }

    [Theory, OnEachTransport]
    public async Task A_server_is_disposed_while_an_upload_is_held_back(TransportKind transport)
    {
        TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TestServer server = await TestServer.StartAsync(transport, app => app.MapPost("/", async context =>
        {
            started.SetResult();
            await context.RequestAborted.Cancelled();
        }), static _ => { }, static kestrel => kestrel.Limits.MaxRequestBodySize = null);
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30000000\r\n\r\n");
        Task sending = client.SendAsync(new byte[30_000_000]);
        await started.Task.InTime();
        using CancellationTokenSource now = new();
        await now.CancelAsync();
        await server.StopAsync(now.Token).InTime();
        await server.DisposeAsync().AsTask().InTime();
        await Assert.ThrowsAnyAsync<SocketException>(() => sending.InTime());
    }

    [Theory, OnEachTransport]
    public async Task On_a_Unix_socket_the_end_is_an_end(TransportKind transport)
    {
        string path = Path.Combine(Path.GetTempPath(), $"waterspout-{Guid.NewGuid():N}");
        await using TestServer server = await TestServer.StartAsync(
            transport, static _ => { }, kestrel: kestrel => kestrel.ListenUnixSocket(path, static listen => listen.Use(static _ => async connection =>
                await connection.Transport.Input.CopyToAsync(connection.Transport.Output))));
        using RawClient client = await RawClient.ConnectAsync(new UnixDomainSocketEndPoint(path));
        await client.SendAsync("hello");
        Assert.Equal("hello", await client.ReadUntilAsync("hello").InTime());
        client.SendEof();
        Assert.Equal("", await client.ReadToEndAsync().InTime());
    }
}
