using System.Net.WebSockets;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Waterspout.Kestrel.Tests;

namespace Waterspout.Proxy.Tests;

/// <summary>What passes through, in both directions.</summary>
public sealed class PassingTests
{
    private const int Size = 24 * 1024 * 1024;

    [Theory, OnEachTransport]
    public async Task Large_bodies_arrive_unchanged(TransportKind transport)
    {
        byte[] data = RandomNumberGenerator.GetBytes(Size);
        string hash = Convert.ToHexString(SHA256.HashData(data));
        await using TestProxy proxy = await TestProxy.StartAsync(transport, app => app.Run(async context =>
        {
            if (HttpMethods.IsGet(context.Request.Method)) await context.Response.Body.WriteAsync(data);
            else await context.Response.WriteAsync(Convert.ToHexString(await SHA256.HashDataAsync(context.Request.Body)));
        }));
        using HttpClient client = proxy.Front.CreateClient();
        using HttpResponseMessage sent = await client.PostAsync("/", new ByteArrayContent(data));
        Assert.Equal(hash, await sent.Content.ReadAsStringAsync());
        await using Stream received = await client.GetStreamAsync("/");
        Assert.Equal(hash, Convert.ToHexString(await SHA256.HashDataAsync(received)));
    }

    [Theory, OnEachTransport]
    public async Task Many_requests_at_once_get_their_own_answers(TransportKind transport)
    {
        await using TestProxy proxy = await TestProxy.StartAsync(transport, Echo, backEnds: 2);
        using HttpClient client = proxy.Front.CreateClient();
        await Task.WhenAll(Enumerable.Range(0, 16).Select(async number =>
        {
            for (int i = 0; i < 25; i++)
            {
                byte[] data = RandomNumberGenerator.GetBytes(1 + number * 1999);
                using HttpResponseMessage answer = await client.PostAsync("/", new ByteArrayContent(data));
                Assert.Equal(data, await answer.Content.ReadAsByteArrayAsync());
            }
        }));
    }

    [Theory, OnEachTransport]
    public async Task A_WebSocket_carries_messages_and_the_close(TransportKind transport)
    {
        await using TestProxy proxy = await TestProxy.StartAsync(transport, EchoMessages);
        using ClientWebSocket client = await OpenAsync(proxy);
        byte[] received = new byte[64 * 1024];
        foreach (int size in (int[])[0, 1, 125, 126, 4096, 60_000])
        {
            byte[] data = RandomNumberGenerator.GetBytes(size);
            await client.SendAsync(data, WebSocketMessageType.Binary, true, default);
            int count = 0;
            ValueWebSocketReceiveResult result;
            do
            {
                result = await client.ReceiveAsync(received.AsMemory(count), default);
                count += result.Count;
            }
            while (!result.EndOfMessage);
            Assert.Equal(data, received[..count]);
        }

        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, "enough", default);
        Assert.Equal("enough", client.CloseStatusDescription);
    }

    [Theory, OnEachTransport]
    public async Task Events_of_the_server_arrive_one_by_one_while_it_answers(TransportKind transport)
    {
        SemaphoreSlim next = new(0);
        await using TestProxy proxy = await TestProxy.StartAsync(transport, app => app.Run(async context =>
        {
            for (int i = 0; i < 5; i++)
            {
                await context.Response.WriteAsync($"event {i}\n");
                await context.Response.Body.FlushAsync();
                await next.WaitAsync(Waiting.Limit);
            }
        }));
        using HttpClient client = proxy.Front.CreateClient();
        using StreamReader reader = new(await client.GetStreamAsync("/"));
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal($"event {i}", await reader.ReadLineAsync().InTime());
            next.Release();
        }

        Assert.Null(await reader.ReadLineAsync().InTime());
    }

    [Theory, OnEachTransport]
    public async Task A_stop_leaves_no_socket(TransportKind transport)
    {
        int before = OpenSockets();
        TestProxy proxy = await TestProxy.StartAsync(transport, EchoMessages, backEnds: 2);
        using (ClientWebSocket client = await OpenAsync(proxy))
        {
            await client.SendAsync(new byte[10], WebSocketMessageType.Binary, true, default);
            await client.ReceiveAsync(new byte[10], default);
        }

        await proxy.DisposeAsync();
        // The platform's own sockets are closed by workers of their own.
        await Waiting.BecomesTrueAsync(() => OpenSockets() <= before);
    }

    internal static async Task<ClientWebSocket> OpenAsync(TestProxy proxy)
    {
        ClientWebSocket client = new();
        await client.ConnectAsync(new UriBuilder(proxy.Front.Address) { Scheme = "ws" }.Uri, default).InTime();
        return client;
    }

    internal static void EchoMessages(WebApplication app)
    {
        app.UseWebSockets();
        app.Run(static async context =>
        {
            using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
            byte[] buffer = new byte[64 * 1024];
            while (true)
            {
                ValueWebSocketReceiveResult result = await socket.ReceiveAsync(buffer.AsMemory(), context.RequestAborted);
                if (result.MessageType == WebSocketMessageType.Close) break;
                await socket.SendAsync(buffer.AsMemory(0, result.Count), WebSocketMessageType.Binary, result.EndOfMessage, context.RequestAborted);
            }

            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, socket.CloseStatusDescription, default);
        });
    }

    private static void Echo(WebApplication app) => app.Run(static context => context.Request.Body.CopyToAsync(context.Response.Body));

    private static int OpenSockets() => Directory.EnumerateFileSystemEntries("/proc/self/fd").Count(static path =>
        new FileInfo(path).LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) == true);
}
