using System.Buffers.Binary;
using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Waterspout.Kestrel.Tests.Applications;

/// <summary>HTTP/2, frame by frame, and by a tool for load.</summary>
public sealed class Http2Tests
{
    [Theory, OnEachTransport]
    public async Task A_stop_sends_GOAWAY_and_answers_what_is_in_work(TransportKind transport)
    {
        TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource release = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await StartAsync(transport, app => app.MapGet("/", async context =>
        {
            started.SetResult();
            await release.Task;
            await context.SendAsync("<Hello>");
        }));
        using Http2Client client = await Http2Client.ConnectAsync(server);
        await client.GetAsync(1);
        await started.Task.InTime();
        Task stopping = server.StopAsync();
        await client.ReadUntilAsync(static frame => frame.Type == FrameType.GoAway);
        release.SetResult();
        List<Frame> last = await client.ReadUntilAsync(static frame => frame is { Type: FrameType.Data, Flags: 1 });
        Assert.Contains(last, static frame => frame.Type == FrameType.Headers);
        Assert.Equal("<Hello>", string.Concat(last.Where(static frame => frame.Type == FrameType.Data).Select(static frame => System.Text.Encoding.ASCII.GetString(frame.Payload))));
        client.Dispose();
        await stopping.InTime();
    }

    [Theory, OnEachTransport]
    public async Task A_client_without_window_gets_no_data_and_the_rest_later(TransportKind transport)
    {
        const int Window = 65_535, Size = 200_000;
        await using TestServer server = await StartAsync(transport, static app => app.MapGet("/", static () => Results.Bytes(new byte[Size])));
        using Http2Client client = await Http2Client.ConnectAsync(server);
        await client.GetAsync(1);
        int received = 0;
        while (received < Window) received += Length((await client.ReadAsync())!);
        await client.SendAsync(FrameType.Ping, 0, 0, new byte[8]);
        List<Frame> meanwhile = await client.ReadUntilAsync(static frame => frame.Type == FrameType.Ping);
        Assert.DoesNotContain(meanwhile, static frame => frame.Type == FrameType.Data);
        byte[] more = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(more, Size);
        await client.SendAsync(FrameType.WindowUpdate, 0, 0, more);
        await client.SendAsync(FrameType.WindowUpdate, 0, 1, more);
        received += (await client.ReadUntilAsync(static frame => frame is { Type: FrameType.Data, Flags: 1 })).Sum(Length);
        Assert.Equal(Size, received);
    }

    [Theory, OnEachTransport]
    public async Task An_abort_resets_its_stream_alone(TransportKind transport)
    {
        bool isFirst = true;
        await using TestServer server = await StartAsync(transport, app => app.MapGet("/", async context =>
        {
            if (isFirst) context.Abort();
            else await context.SendAsync("<Hello>");
            isFirst = false;
        }));
        using Http2Client client = await Http2Client.ConnectAsync(server);
        await client.GetAsync(1);
        Assert.Equal(1, (await client.ReadUntilAsync(static frame => frame.Type == FrameType.Reset))[^1].Stream);
        await client.GetAsync(3);
        Assert.Equal(3, (await client.ReadUntilAsync(static frame => frame.Type == FrameType.Data && frame.Payload.Length > 0))[^1].Stream);
    }

    [Theory, OnEachTransport]
    public async Task Many_streams_by_h2load(TransportKind transport)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/h2load"), "h2load is not installed.");
        await using TestServer server = await StartAsync(transport, static app => app.MapGet("/", static context => context.SendAsync("<Hello>")));
        ProcessStartInfo start = new("/usr/bin/h2load", ["-n", "5000", "-c", "8", "-m", "32", server.Address.ToString()]) { RedirectStandardOutput = true };
        using Process h2load = Process.Start(start)!;
        Assert.Contains("5000 succeeded, 0 failed, 0 errored", await h2load.StandardOutput.ReadToEndAsync().InTime(), StringComparison.Ordinal);
    }

    private static Task<TestServer> StartAsync(TransportKind transport, Action<WebApplication> map) =>
        TestServer.StartAsync(transport, map, static listen => listen.Protocols = HttpProtocols.Http2);

    private static int Length(Frame frame) => frame.Type == FrameType.Data ? frame.Payload.Length : 0;
}
