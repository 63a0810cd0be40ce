using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Waterspout.Kestrel.Tests;

namespace Waterspout.Proxy.Tests;

/// <summary>An end on one side of the proxy is an end on the other.</summary>
public sealed class AbortTests
{
    [Theory, OnEachTransport]
    public async Task A_client_that_leaves_before_the_answer_aborts_the_request_at_the_server(TransportKind transport)
    {
        Signals signals = new();
        await using TestProxy proxy = await TestProxy.StartAsync(transport, app => app.Run(signals.WaitForAbortAsync));
        using RawClient client = await proxy.Front.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        await signals.Begun.Task.InTime();
        client.Reset();
        await signals.Aborted.Task.InTime();
    }

    [Theory, OnEachTransport]
    public async Task A_client_that_leaves_within_its_body_aborts_the_request_at_the_server(TransportKind transport)
    {
        Signals signals = new();
        await using TestProxy proxy = await TestProxy.StartAsync(transport, app => app.Run(async context =>
        {
            signals.Begun.TrySetResult();
            await Assert.ThrowsAnyAsync<Exception>(() => context.Request.Body.CopyToAsync(Stream.Null));
            signals.Aborted.TrySetResult();
        }));
        using RawClient client = await proxy.Front.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nsome of it");
        await signals.Begun.Task.InTime();
        client.Reset();
        await signals.Aborted.Task.InTime();
    }

    [Theory, OnEachTransport]
    public async Task A_server_that_aborts_before_its_answer_is_a_bad_gateway(TransportKind transport)
    {
        await using TestProxy proxy = await TestProxy.StartAsync(transport, static app => app.Run(static context =>
        {
            context.Abort();
            return Task.CompletedTask;
        }));
        using HttpClient client = proxy.Front.CreateClient();
        using HttpResponseMessage answer = await client.GetAsync("/");
        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
    }

    [Theory, OnEachTransport]
    public async Task A_server_that_aborts_within_its_answer_aborts_the_clients(TransportKind transport)
    {
        await using TestProxy proxy = await TestProxy.StartAsync(transport, static app => app.Run(static async context =>
        {
            context.Response.ContentLength = 1000;
            await context.Response.WriteAsync("some of it");
            await context.Response.Body.FlushAsync();
            context.Abort();
        }));
        using HttpClient client = proxy.Front.CreateClient();
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetByteArrayAsync("/"));
    }

    [Theory, OnEachTransport]
    public async Task A_WebSocket_client_that_vanishes_is_noticed_by_the_server(TransportKind transport)
    {
        TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestProxy proxy = await TestProxy.StartAsync(transport, app =>
        {
            app.UseWebSockets();
            app.Run(async context =>
            {
                using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
                await Assert.ThrowsAnyAsync<Exception>(async () => await socket.ReceiveAsync(new byte[10].AsMemory(), default));
                ended.SetResult();
            });
        });
        ClientWebSocket client = await PassingTests.OpenAsync(proxy);
        client.Abort();
        client.Dispose();
        await ended.Task.InTime();
    }

    [Theory, OnEachTransport]
    public async Task A_WebSocket_server_that_vanishes_is_noticed_by_the_client(TransportKind transport)
    {
        await using TestProxy proxy = await TestProxy.StartAsync(transport, static app =>
        {
            app.UseWebSockets();
            app.Run(static async context =>
            {
                using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
                await socket.ReceiveAsync(new byte[10].AsMemory(), default);
                context.Abort();
            });
        });
        using ClientWebSocket client = await PassingTests.OpenAsync(proxy);
        await client.SendAsync(new byte[1], WebSocketMessageType.Binary, true, default);
        await Assert.ThrowsAnyAsync<WebSocketException>(() => client.ReceiveAsync(new byte[10], default).InTime());
    }

    private sealed class Signals
    {
        internal TaskCompletionSource Begun { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal TaskCompletionSource Aborted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal async Task WaitForAbortAsync(HttpContext context)
        {
            Task aborted = context.RequestAborted.Cancelled();
            Begun.TrySetResult();
            await aborted;
            Aborted.TrySetResult();
        }
    }
}
