using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.FileProviders;

namespace Waterspout.Kestrel.Tests.Applications;

/// <summary>What web applications are made of, over every wire.</summary>
public sealed class WebTests
{
    private sealed record Order(int Number, string Text);

    [Theory, OnEachWire]
    public async Task A_minimal_API(TransportKind transport, Wire wire)
    {
        await using TestServer server = await TestServer.StartAsync(transport, wire, static app =>
        {
            app.MapGet("/orders/{number:int}", static (int number) => number > 0 ? Results.Ok(new Order(number, "some")) : Results.NotFound());
            app.MapPost("/orders", static (Order order) => Results.Created($"/orders/{order.Number}", order));
            app.MapDelete("/orders/{number:int}", static (int number) => Results.NoContent());
        });
        using HttpClient client = server.CreateWireClient();
        Assert.Equal(new Order(7, "some"), await client.GetFromJsonAsync<Order>("/orders/7"));
        using HttpResponseMessage created = await client.PostAsJsonAsync("/orders", new Order(8, new string('x', 100_000)));
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        Assert.Equal("/orders/8", created.Headers.Location!.ToString());
        Assert.Equal(100_000, (await created.Content.ReadFromJsonAsync<Order>())!.Text.Length);
        foreach (string path in (string[])["/orders/0", "/none"])
        {
            using HttpResponseMessage missing = await client.GetAsync(path);
            Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        }

        using HttpResponseMessage deleted = await client.DeleteAsync("/orders/7");
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
    }

    [Theory, OnEachWire]
    public async Task Static_files_whole_in_ranges_and_unchanged(TransportKind transport, Wire wire)
    {
        string folder = Directory.CreateTempSubdirectory("waterspout-files-").FullName;
        try
        {
            byte[] data = RandomNumberGenerator.GetBytes(3_000_000);
            await File.WriteAllBytesAsync(Path.Combine(folder, "data.bin"), data);
            using PhysicalFileProvider files = new(folder);
            await using TestServer server = await TestServer.StartAsync(
                transport, wire, app => app.UseStaticFiles(new StaticFileOptions { FileProvider = files }));
            using HttpClient client = server.CreateWireClient();
            using HttpResponseMessage whole = await client.GetAsync("/data.bin");
            Assert.Equal(data, await whole.Content.ReadAsByteArrayAsync());
            using HttpRequestMessage range = new(HttpMethod.Get, "/data.bin") { Headers = { Range = new RangeHeaderValue(1_000_000, 1_999_999) } };
            using HttpResponseMessage part = await client.SendAsync(range);
            Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
            Assert.Equal(data[1_000_000..2_000_000], await part.Content.ReadAsByteArrayAsync());
            using HttpRequestMessage again = new(HttpMethod.Get, "/data.bin") { Headers = { IfNoneMatch = { whole.Headers.ETag! } } };
            using HttpResponseMessage unchanged = await client.SendAsync(again);
            Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory, OnEachWire]
    public async Task Server_sent_events_end_when_the_client_leaves(TransportKind transport, Wire wire)
    {
        TaskCompletionSource left = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await TestServer.StartAsync(transport, wire, app =>
            app.MapGet("/", (CancellationToken aborted) => TypedResults.ServerSentEvents(CountAsync(left, aborted))));
        using HttpClient client = server.CreateWireClient();
        using (StreamReader reader = new(await client.GetStreamAsync("/")))
        {
            for (int i = 0; i < 100; i++)
            {
                Assert.Equal($"data: {i}", await reader.ReadLineAsync().InTime());
                Assert.Equal("", await reader.ReadLineAsync().InTime());
            }
        }

        await left.Task.InTime();
    }

    [Theory, OnEachWire]
    public async Task A_WebSocket_echoes(TransportKind transport, Wire wire)
    {
        await using TestServer server = await TestServer.StartAsync(transport, wire, static app =>
        {
            app.UseWebSockets();
            app.Map("/", Echoes.AnswerAsync);
        });
        using HttpMessageInvoker invoker = new(server.CreateHandler());
        using ClientWebSocket client = new();
        UriBuilder url = new(server.Url);
        url.Scheme = url.Scheme == "https" ? "wss" : "ws";
        await client.ConnectAsync(url.Uri, invoker, CancellationToken.None).InTime();
        byte[] received = new byte[200_000];
        foreach (int size in (int[])[0, 1, 126, 20_000, 150_000])
        {
            byte[] sent = RandomNumberGenerator.GetBytes(size);
            await client.SendAsync(sent, WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None).InTime();
            int count = 0;
            for (bool isWhole = false; !isWhole;)
            {
                ValueWebSocketReceiveResult part = await client.ReceiveAsync(received.AsMemory(count), CancellationToken.None).AsTask().InTime();
                count += part.Count;
                isWhole = part.EndOfMessage;
            }

            Assert.True(sent.AsSpan().SequenceEqual(received.AsSpan(0, count)));
        }

        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None).InTime();
    }

    private static async IAsyncEnumerable<int> CountAsync(
        TaskCompletionSource left, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken aborted)
    {
        try
        {
            for (int i = 0; ; i++)
            {
                yield return i;
                // Events come one by one, and leave with the requests of others.
                if (i >= 100) await Task.Delay(Timeout.Infinite, aborted);
                else await Task.Yield();
            }
        }
        finally
        {
            left.SetResult();
        }
    }
}
