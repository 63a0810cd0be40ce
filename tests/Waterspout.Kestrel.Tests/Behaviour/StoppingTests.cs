using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;

namespace Waterspout.Kestrel.Tests.Behaviour;

/// <summary>A server that stops.</summary>
public sealed class StoppingTests
{
    [Theory, OnEachTransport]
    public async Task A_request_in_work_is_answered(TransportKind transport)
    {
        TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource release = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await TestServer.StartAsync(transport, app => app.MapGet("/", async () =>
        {
            started.SetResult();
            await release.Task;
            return "<Hello>";
        }));
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await started.Task.InTime();
        Task stop = server.StopAsync();
        await Assert.ThrowsAnyAsync<SocketException>(async () =>
        {
            // The listening socket closes in its own time.
            while (true) using (await RawClient.ConnectAsync(server.EndPoint)) await Task.Yield();
        }).InTime();
        Assert.False(stop.IsCompleted);
        release.SetResult();
        Assert.Contains("<Hello>", await client.ReadToEndAsync().InTime(), StringComparison.Ordinal);
        await stop.InTime();
    }

    [Theory, OnEachTransport]
    public async Task Idle_connections_end(TransportKind transport)
    {
        await using TestServer server = await TestServer.StartAsync(transport, static app => app.MapGet("/", static context => context.SendAsync("<Hello>")));
        using RawClient fresh = await server.ConnectAsync();
        using RawClient used = await server.ConnectAsync();
        await used.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await used.ReadUntilAsync("<Hello>").InTime();
        await server.StopAsync().InTime();
        Assert.Equal("", await used.ReadToEndAsync().InTime());
        await fresh.ReadUntilErrorAsync().InTime();
    }

    [Theory, OnEachTransport]
    public async Task A_handler_that_does_not_end_is_aborted(TransportKind transport)
    {
        TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await TestServer.StartRawAsync(transport, async connection =>
        {
            started.SetResult();
            await connection.ConnectionClosed.Cancelled();
        });
        using RawClient client = await server.ConnectAsync();
        await started.Task.InTime();
        using CancellationTokenSource now = new();
        await now.CancelAsync();
        await server.StopAsync(now.Token).InTime();
        await client.ReadUntilErrorAsync().InTime();
    }

    [Theory, OnEachTransport]
    public async Task A_connection_whose_client_does_not_read_is_aborted(TransportKind transport)
    {
        TaskCompletionSource<bool> completed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource stuck = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await TestServer.StartRawAsync(transport, async connection =>
        {
            byte[] data = new byte[100_000];
            while (true)
            {
                ValueTask<System.IO.Pipelines.FlushResult> write = connection.Transport.Output.WriteAsync(data);
                if (!write.IsCompleted) stuck.TrySetResult();
                if (!(await write).IsCompleted) continue;
                completed.SetResult(true);
                return;
            }
        });
        using RawClient client = await server.ConnectAsync();
        await stuck.Task.InTime();
        using CancellationTokenSource now = new();
        await now.CancelAsync();
        await server.StopAsync(now.Token).InTime();
        Assert.True(await completed.Task.InTime());
    }

    [Theory, OnEachTransport]
    public async Task Stopping_twice_and_disposing(TransportKind transport)
    {
        await using TestServer server = await TestServer.StartAsync(transport, static app => app.MapGet("/", static context => context.SendAsync("<Hello>")));
        await server.StopAsync().InTime();
        await server.StopAsync().InTime();
    }
}
