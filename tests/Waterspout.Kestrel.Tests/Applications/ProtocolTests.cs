using System.Diagnostics;
using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Waterspout.Kestrel.Tests.Applications;

/// <summary>What else is spoken over a connection: HTTP/2, TLS, WebSockets.</summary>
public sealed class ProtocolTests
{
    private static void MapAll(WebApplication app)
    {
        app.MapGet("/", static (HttpContext context) => context.Request.Protocol + " " + context.Request.Scheme);
        app.MapPost("/hash", static async context =>
            await context.Response.WriteAsync(Convert.ToHexString(await SHA256.HashDataAsync(context.Request.Body))));
        app.MapGet("/large", static () => Results.Bytes(new byte[3_000_000]));
    }

    [Theory, OnEachTransport]
    public async Task Http2_without_tls(TransportKind transport)
    {
        await using TestServer server = await TestServer.StartAsync(transport, MapAll, static listen => listen.Protocols = HttpProtocols.Http2);
        using HttpClient client = server.CreateClient(HttpVersion.Version20);
        await CheckAsync(client, "HTTP/2 http");
    }

    [Theory, OnEachTransport]
    public async Task Http2_by_curl(TransportKind transport)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/curl"), "curl is not installed.");
        await using TestServer server = await TestServer.StartAsync(transport, MapAll, static listen => listen.Protocols = HttpProtocols.Http2);
        ProcessStartInfo start = new("/usr/bin/curl", ["-sS", "--http2-prior-knowledge", server.Address.ToString()]) { RedirectStandardOutput = true };
        using Process curl = Process.Start(start)!;
        Assert.Equal("HTTP/2 http", await curl.StandardOutput.ReadToEndAsync().InTime());
    }

    [Theory, OnEachTransport]
    public async Task Https_with_either_version(TransportKind transport)
    {
        using X509Certificate2 certificate = Waiting.CreateCertificate();
        await using TestServer server = await TestServer.StartAsync(transport, MapAll, listen => listen.UseHttps(certificate));
        using HttpClient one = server.CreateClient();
        await CheckAsync(one, "HTTP/1.1 https");
        using HttpClient two = server.CreateClient(HttpVersion.Version20);
        await CheckAsync(two, "HTTP/2 https");
    }

    [Theory, OnEachTransport]
    public async Task A_WebSocket_echoes_messages_of_all_sizes(TransportKind transport)
    {
        await using TestServer server = await TestServer.StartAsync(transport, static app =>
        {
            app.UseWebSockets();
            app.Map("/", EchoAsync);
        });
        using ClientWebSocket client = new();
        await client.ConnectAsync(new UriBuilder(server.Address) { Scheme = "ws" }.Uri, CancellationToken.None).InTime();
        byte[] received = new byte[100_000];
        foreach (int size in (int[])[0, 1, 125, 126, 4000, 70_000])
        {
            byte[] sent = RandomNumberGenerator.GetBytes(size);
            await client.SendAsync(sent, WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None).InTime();
            int count = 0;
            for (bool isWhole = false; !isWhole;)
            {
                WebSocketReceiveResult part = await client.ReceiveAsync(new ArraySegment<byte>(received, count, received.Length - count), CancellationToken.None).InTime();
                count += part.Count;
                isWhole = part.EndOfMessage;
            }

            Assert.Equal(sent, received[..count]);
        }

        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None).InTime();
        Assert.Equal(WebSocketState.Closed, client.State);
    }

    private static async Task CheckAsync(HttpClient client, string expected)
    {
        Assert.Equal(expected, await client.GetStringAsync("/"));
        string[] answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => client.GetStringAsync("/"))).InTime();
        Assert.All(answers, answer => Assert.Equal(expected, answer));
        byte[] data = RandomNumberGenerator.GetBytes(3_000_000);
        using HttpResponseMessage response = await client.PostAsync("/hash", new ByteArrayContent(data)).InTime();
        Assert.Equal(Convert.ToHexString(SHA256.HashData(data)), await response.Content.ReadAsStringAsync());
        byte[][] downloads = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => client.GetByteArrayAsync("/large"))).InTime();
        Assert.All(downloads, download => Assert.Equal(3_000_000, download.Length));
    }

    private static async Task EchoAsync(HttpContext context)
    {
        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
        byte[] buffer = new byte[5000];
        while (true)
        {
            WebSocketReceiveResult part = await socket.ReceiveAsync(buffer, context.RequestAborted);
            if (part.MessageType == WebSocketMessageType.Close) break;
            await socket.SendAsync(buffer.AsMemory(0, part.Count), part.MessageType, part.EndOfMessage, context.RequestAborted);
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
    }
}
