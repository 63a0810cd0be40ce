using System.Net.Http.Json;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Waterspout.Kestrel.Tests.Applications;

/// <summary>HTTP/1.1: small and large answers and requests.</summary>
public sealed class HttpTests
{
    private sealed record Answer(string Text, int[] Numbers);

    [Theory, OnEachTransport]
    public async Task Plain_text(TransportKind transport)
    {
        await using TestServer server = await TestServer.StartAsync(transport, static app => app.MapGet("/", static () => "Hello"));
        using HttpClient client = server.CreateClient();
        for (int i = 0; i < 10; i++) Assert.Equal("Hello", await client.GetStringAsync("/"));
    }

    [Theory, OnEachTransport]
    public async Task Json_both_ways(TransportKind transport)
    {
        await using TestServer server = await TestServer.StartAsync(transport, static app => app.MapPost("/", static async context =>
        {
            Answer sent = (await context.Request.ReadFromJsonAsync<Answer>())!;
            await context.Response.WriteAsJsonAsync(sent with { Text = sent.Text + "!" });
        }));
        using HttpClient client = server.CreateClient();
        using HttpResponseMessage response = await client.PostAsJsonAsync("/", new Answer("Hello", [1, 2, 3]));
        Assert.Equal("Hello!", (await response.Content.ReadFromJsonAsync<Answer>())!.Text);
    }

    [Theory, OnEachTransport]
    public async Task A_chunked_upload_arrives_whole(TransportKind transport)
    {
        await using TestServer server = await TestServer.StartAsync(transport, static app => app.MapPost("/", static async context =>
            await context.Response.WriteAsync(Convert.ToHexString(await SHA256.HashDataAsync(context.Request.Body)))));
        using HttpClient client = server.CreateClient();
        byte[] data = RandomNumberGenerator.GetBytes(20_000_000);
        using HttpRequestMessage request = new(HttpMethod.Post, "/") { Content = new ByteArrayContent(data) };
        request.Headers.TransferEncodingChunked = true;
        using HttpResponseMessage response = await client.SendAsync(request);
        Assert.Equal(Convert.ToHexString(SHA256.HashData(data)), await response.Content.ReadAsStringAsync());
    }

    [Theory, OnEachTransport]
    public async Task A_large_download_arrives_whole(TransportKind transport)
    {
        byte[] data = RandomNumberGenerator.GetBytes(20_000_000);
        await using TestServer server = await TestServer.StartAsync(transport, app => app.MapGet("/", () => Results.Bytes(data)));
        using HttpClient client = server.CreateClient();
        Assert.Equal(SHA256.HashData(data), SHA256.HashData(await client.GetByteArrayAsync("/")));
    }

    [Theory, OnEachTransport]
    public async Task Many_clients_at_once(TransportKind transport)
    {
        await using TestServer server = await TestServer.StartAsync(transport, static app => app.MapGet("/{number}", static async (int number) =>
        {
            await Task.Yield();
            return new string('x', number * 100);
        }));
        await Task.WhenAll(Enumerable.Range(0, 32).Select(async _ =>
        {
            using HttpClient client = server.CreateClient();
            for (int i = 0; i < 30; i++) Assert.Equal(i * 100, (await client.GetStringAsync($"/{i}")).Length);
        }));
    }

    [Theory, OnEachTransport]
    public async Task Pipelined_requests_are_answered_in_order(TransportKind transport)
    {
        await using TestServer server = await TestServer.StartAsync(transport, static app => app.MapGet("/{number}", static (int number) => $"<{number}>"));
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(string.Concat(Enumerable.Range(0, 50).Select(static i => $"GET /{i} HTTP/1.1\r\nHost: a\r\n\r\n")));
        for (int i = 0; i < 50; i++) await client.ReadUntilAsync($"<{i}>").InTime();
    }

    [Theory, OnEachTransport]
    public async Task A_request_in_single_bytes(TransportKind transport)
    {
        await using TestServer server = await TestServer.StartAsync(transport, static app => app.MapGet("/", static context => context.SendAsync("<Hello>")));
        using RawClient client = await server.ConnectAsync();
        client.Socket.NoDelay = true;
        foreach (char letter in "GET / HTTP/1.1\r\nHost: a\r\n\r\n") await client.SendAsync(letter.ToString());
        await client.ReadUntilAsync("<Hello>").InTime();
    }

    [Theory, OnEachTransport]
    public async Task An_answer_before_a_request_that_waits_is_not_held_back(TransportKind transport)
    {
        TaskCompletionSource release = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await TestServer.StartAsync(transport, app =>
        {
            app.MapGet("/first", static context => context.SendAsync("<first>"));
            app.MapGet("/second", async () =>
            {
                await release.Task;
                return "<second>";
            });
        });
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("GET /first HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\n\r\n");
        await client.ReadUntilAsync("<first>").InTime();
        release.SetResult();
        await client.ReadUntilAsync("<second>").InTime();
    }

    [Theory, OnEachTransport]
    public async Task Server_sent_events_arrive_one_by_one(TransportKind transport)
    {
        using SemaphoreSlim next = new(0);
        await using TestServer server = await TestServer.StartAsync(transport, app => app.MapGet("/", async context =>
        {
            context.Response.ContentType = "text/event-stream";
            for (int i = 0; i < 10; i++)
            {
                await context.Response.WriteAsync($"data: {i}\n\n");
                await context.Response.Body.FlushAsync();
                await next.WaitAsync(context.RequestAborted);
            }
        }));
        using HttpClient client = server.CreateClient();
        using StreamReader reader = new(await client.GetStreamAsync("/"));
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal($"data: {i}", await reader.ReadLineAsync().WaitAsync(Waiting.Limit));
            await reader.ReadLineAsync().WaitAsync(Waiting.Limit);
            next.Release();
        }
    }
}
