using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Waterspout.Kestrel.Tests.Behaviour;

/// <summary>Clients that take or send slowly, or not at all.</summary>
public sealed class SlowClientTests
{
    [Theory, OnEachTransport]
    public async Task A_client_that_never_reads_holds_the_writer_back(TransportKind transport)
    {
        TaskCompletionSource<long> waited = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await TestServer.StartRawAsync(transport, async connection =>
        {
            byte[] data = new byte[50_000];
            for (long total = 0; ; total += data.Length)
            {
                ValueTask<FlushResult> write = connection.Transport.Output.WriteAsync(data);
                // A send may be in progress elsewhere. Once much more than the kernel holds is written, a wait is a wait for the client.
                if (!write.IsCompleted && total > 20_000_000) waited.TrySetResult(total);
                if (!write.IsCompleted) waited.TrySetResult(total);
                if ((await write).IsCompleted) return;
            }
        });
        using RawClient client = await server.ConnectAsync();
        Assert.InRange(await waited.Task.InTime(), 0, 20_000_000);
        client.Reset();
    }

    [Theory, OnEachTransport]
    public async Task A_slow_reader_gets_every_byte(TransportKind transport)
    {
        byte[] data = new byte[5_000_000];
        Random.Shared.NextBytes(data);
        await using TestServer server = await TestServer.StartAsync(transport, app => app.MapGet("/", () => Results.Bytes(data)));
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        await client.ReadUntilAsync("\r\n\r\n").InTime();
        Assert.Equal(Encoding.Latin1.GetString(data), await client.ReadToEndAsync().InTime());
    }

    [Theory, OnEachTransport]
    public async Task An_upload_that_is_not_read_waits_and_then_arrives_whole(TransportKind transport)
    {
        TaskCompletionSource read = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await TestServer.StartAsync(transport, app => app.MapPost("/", async context =>
        {
            await read.Task;
            using MemoryStream body = new();
            await context.Request.Body.CopyToAsync(body);
            await context.Response.WriteAsync($"<{body.Length}>");
        }), kestrel: static options => options.Limits.MaxRequestBodySize = null, listen: static _ => { });
        using RawClient client = await server.ConnectAsync();
        byte[] data = new byte[30_000_000];
        Task sent = SendAsync();
        Task first = await Task.WhenAny(sent, server.ConnectAsync());
        Assert.NotSame(sent, first);
        read.SetResult();
        await sent.InTime();
        Assert.Contains("<30000000>", await client.ReadUntilAsync("<30000000>").InTime(), StringComparison.Ordinal);

        async Task SendAsync()
        {
            await client.SendAsync("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30000000\r\n\r\n");
            await client.SendAsync(data);
        }
    }

    [Theory, OnEachTransport]
    public async Task A_client_below_the_minimum_rate_of_responses_is_cut_off(TransportKind transport)
    {
        await using TestServer server = await TestServer.StartAsync(
            transport,
            static app => app.MapGet("/", static () => Results.Bytes(new byte[50_000_000])),
            static _ => { },
            static options => options.Limits.MinResponseDataRate = new MinDataRate(1e9, TimeSpan.FromSeconds(1.1)));
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await client.ReadUntilAsync("\r\n\r\n").InTime();
        // The server's log says when: what it has sent is still to be received.
        while (!server.Log.Lines.Any(static line => line.Text.Contains("MinResponseDataRate", StringComparison.OrdinalIgnoreCase)
            || line.Text.Contains("minimum data rate", StringComparison.OrdinalIgnoreCase)))
        {
            await Task.Delay(10);
        }

        Assert.Equal(SocketError.ConnectionReset, await client.ReadUntilErrorAsync().InTime());
    }

    [Theory, OnEachTransport]
    public async Task A_client_without_a_request_is_closed_by_the_keep_alive_limit(TransportKind transport)
    {
        await using TestServer server = await TestServer.StartAsync(
            transport,
            static app => app.MapGet("/", static context => context.SendAsync("<Hello>")),
            static _ => { },
            static options => options.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(1));
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await client.ReadUntilAsync("<Hello>").InTime();
        Assert.Equal("", await client.ReadToEndAsync().InTime());
    }

    [Theory, OnEachTransport]
    public async Task Connections_beyond_the_limit_are_closed(TransportKind transport)
    {
        await using TestServer server = await TestServer.StartAsync(
            transport,
            static app => app.MapGet("/", static context => context.SendAsync("<Hello>")),
            static _ => { },
            static options => options.Limits.MaxConcurrentConnections = 1);
        using RawClient first = await server.ConnectAsync();
        await first.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await first.ReadUntilAsync("<Hello>").InTime();
        using RawClient second = await server.ConnectAsync();
        await second.ReadUntilErrorAsync().InTime();
        await first.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await first.ReadUntilAsync("<Hello>").InTime();
    }
}
