using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Waterspout.Kestrel.Tests.Behaviour;

/// <summary>Application code that blocks its thread holds no other connection up.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    internal const string Name = "alone";
}

/// <inheritdoc cref="Alone"/>
[Collection(Alone.Name)]
public sealed class BlockingTests
{
    [Theory, OnEachTransport]
    public async Task Handlers_that_block_for_ever_leave_the_others_alone(TransportKind transport)
    {
        using ManualResetEventSlim release = new();
        using CountdownEvent blocked = new(3);
        await using TestServer server = await TestServer.StartAsync(transport, app =>
        {
            app.MapGet("/quick", static context => context.SendAsync("<Hello>"));
            app.MapGet("/block", () =>
            {
                blocked.Signal();
                release.Wait();
                return "<blocked>";
            });
        });
        // All warm, so that they share whatever runs connections.
        RawClient[] clients = await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => server.ConnectAsync()));
        foreach (RawClient client in clients) await AskAsync(client, "quick");
        foreach (RawClient client in clients.Take(3)) await client.SendAsync("GET /block HTTP/1.1\r\nHost: a\r\n\r\n");
        Assert.True(blocked.Wait(Waiting.Limit));
        for (int i = 0; i < 10; i++) await Task.WhenAll(clients.Skip(3).Select(client => AskAsync(client, "quick"))).InTime();
        release.Set();
        await Task.WhenAll(clients.Take(3).Select(client => client.ReadUntilAsync("<blocked>"))).InTime();
        foreach (RawClient client in clients) client.Dispose();
    }

    [Theory, OnEachTransport]
    public async Task A_handler_waits_synchronously_for_a_request_to_its_own_server(TransportKind transport)
    {
        TestServer? self = null;
        await using TestServer server = self = await TestServer.StartAsync(transport, app =>
        {
            app.MapGet("/quick", static context => context.SendAsync("<Hello>"));
            app.MapGet("/outer", () =>
            {
                using HttpClient client = self!.CreateClient();
#pragma warning disable xUnit1031 // This is the mistake that users make.
                return client.GetStringAsync("/quick").Result;
#pragma warning restore xUnit1031
            });
        });
        using HttpClient client = server.CreateClient();
        string[] answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => client.GetStringAsync("/outer"))).InTime();
        Assert.All(answers, static answer => Assert.Equal("<Hello>", answer));
    }

    [Theory, OnEachTransport]
    public async Task A_handler_that_blocks_after_it_has_flushed_holds_no_data_back(TransportKind transport)
    {
        using ManualResetEventSlim release = new();
        await using TestServer server = await TestServer.StartAsync(transport, app => app.MapGet("/", async context =>
        {
            await context.Response.WriteAsync("<first>");
            await context.Response.Body.FlushAsync();
            release.Wait();
            await context.Response.WriteAsync("<second>");
        }));
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await client.ReadUntilAsync("<first>").InTime();
        release.Set();
        await client.ReadUntilAsync("<second>").InTime();
    }

    [Theory, OnEachTransport]
    public async Task A_pool_whose_threads_are_all_blocked_recovers(TransportKind transport)
    {
        // Not disposed: the pool may begin some of the work only after the test.
        ManualResetEventSlim release = new();
        await using TestServer server = await TestServer.StartAsync(transport, app => app.MapGet("/", static context => context.SendAsync("<Hello>")));
        using RawClient client = await server.ConnectAsync();
        await AskAsync(client, "");
        for (int i = 0; i < Environment.ProcessorCount * 4; i++) ThreadPool.UnsafeQueueUserWorkItem(_ => release.Wait(), null);
        await AskAsync(client, "").InTime();
        release.Set();
    }

    [Theory, OnEachTransport]
    public async Task Handlers_that_block_for_a_moment_are_all_answered(TransportKind transport)
    {
        await using TestServer server = await TestServer.StartAsync(transport, static app => app.MapGet("/{time:int}", static (int time) =>
        {
            Thread.Sleep(time);
            return $"<{time}>";
        }));
        await Task.WhenAll(Enumerable.Range(0, 24).Select(async number =>
        {
            using RawClient client = await server.ConnectAsync();
            foreach (int time in (int[])[1, 0, 5, 1, 0, 100, 1])
            {
                await client.SendAsync($"GET /{time} HTTP/1.1\r\nHost: a\r\n\r\n");
                await client.ReadUntilAsync($"<{time}>").InTime();
            }
        }));
    }

    [Theory, OnEachTransport]
    public async Task An_answer_before_a_request_that_blocks_is_not_held_back(TransportKind transport)
    {
        using ManualResetEventSlim release = new();
        await using TestServer server = await TestServer.StartAsync(transport, app =>
        {
            app.MapGet("/quick", static context => context.SendAsync("<Hello>"));
            app.MapGet("/block", () =>
            {
                release.Wait();
                return "<blocked>";
            });
        });
        using RawClient client = await server.ConnectAsync();
        for (int i = 0; i < 20; i++) await AskAsync(client, "quick");
        await client.SendAsync("GET /quick HTTP/1.1\r\nHost: a\r\n\r\nGET /block HTTP/1.1\r\nHost: a\r\n\r\n");
        await client.ReadUntilAsync("<Hello>").InTime();
        release.Set();
        await client.ReadUntilAsync("<blocked>").InTime();
    }

    private static async Task AskAsync(RawClient client, string path)
    {
        await client.SendAsync($"GET /{path} HTTP/1.1\r\nHost: a\r\n\r\n");
        await client.ReadUntilAsync("<Hello>");
    }
}
