using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Waterspout.Kestrel.Tests.Connections;

/// <summary>How connections end, and what the application learns of it.</summary>
public sealed class ClosingTests
{
    public enum Ending
    {
        ClientEof,
        ClientReset,
        Abort,
        Return,
    }

    public static TheoryData<TransportKind, Ending> Endings =>
        new(Enum.GetValues<TransportKind>().SelectMany(static transport => Enum.GetValues<Ending>().Select(ending => (transport, ending))));

    [Theory, MemberData(nameof(Endings))]
    public async Task ConnectionClosed_is_cancelled_once(TransportKind transport, Ending ending)
    {
        int count = 0;
        TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource returned = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await TestServer.StartRawAsync(transport, async connection =>
        {
            connection.ConnectionClosed.Register(() =>
            {
                Interlocked.Increment(ref count);
                closed.SetResult();
            });
            await connection.Transport.Input.ReadAsync();
            started.SetResult();
            if (ending == Ending.Abort) connection.Abort(new ConnectionAbortedException("enough"));
            if (ending is not Ending.Return) await closed.Task;
            returned.SetResult();
        });
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("hello");
        await started.Task.InTime();
        if (ending == Ending.ClientEof) client.SendEof();
        if (ending == Ending.ClientReset) client.Reset();
        await returned.Task.InTime();
        await closed.Task.InTime();
        await server.StopAsync().InTime();
        Assert.Equal(1, count);
    }

    [Theory, OnEachTransport]
    public async Task An_abort_resets_the_connection_and_reads_have_the_reason(TransportKind transport)
    {
        TaskCompletionSource<Exception?> pending = new(), later = new();
        TaskCompletionSource flush = new();
        await using TestServer server = await TestServer.StartRawAsync(transport, async connection =>
        {
            // A reset could meet a client that has not noticed yet that it is connected.
            connection.Transport.Input.AdvanceTo((await connection.Transport.Input.ReadAsync()).Buffer.End);
            ValueTask<ReadResult> read = connection.Transport.Input.ReadAsync();
            connection.Abort(new ConnectionAbortedException("enough"));
            pending.SetResult(await Record.ExceptionAsync(async () => await read));
            later.SetResult(await Record.ExceptionAsync(async () => await connection.Transport.Input.ReadAsync()));
            await connection.ConnectionClosed.Cancelled();
            FlushResult result;
            do result = await connection.Transport.Output.WriteAsync("more"u8.ToArray());
            while (!result.IsCompleted);
            flush.SetResult();
        });
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("hello");
        Assert.Equal(SocketError.ConnectionReset, await client.ReadUntilErrorAsync().InTime());
        Assert.Equal("enough", Assert.IsType<ConnectionAbortedException>(await pending.Task.InTime()).Message);
        Assert.Equal("enough", Assert.IsType<ConnectionAbortedException>(await later.Task.InTime()).Message);
        await flush.Task.InTime();
    }

    [Theory, OnEachTransport]
    public async Task A_reset_by_the_client_is_a_ConnectionResetException(TransportKind transport)
    {
        TaskCompletionSource<Exception?> seen = new();
        await using TestServer server = await TestServer.StartRawAsync(transport, async connection =>
        {
            await connection.Transport.Output.WriteAsync("hello"u8.ToArray());
            seen.SetResult(await Record.ExceptionAsync(async () => await connection.Transport.Input.ReadAsync()));
        });
        using RawClient client = await server.ConnectAsync();
        await client.ReadUntilAsync("hello").InTime();
        client.Reset();
        Assert.IsType<ConnectionResetException>(await seen.Task.InTime());
    }

    [Theory, OnEachTransport]
    public async Task A_client_that_leaves_aborts_its_request(TransportKind transport)
    {
        TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource aborted = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await TestServer.StartAsync(transport, app => app.MapGet("/", async context =>
        {
            started.SetResult();
            await context.RequestAborted.Cancelled();
            aborted.SetResult();
        }));
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await started.Task.InTime();
        client.Reset();
        await aborted.Task.InTime();
    }

    [Theory, OnEachTransport]
    public async Task A_client_that_leaves_behind_unread_data_aborts_its_request(TransportKind transport)
    {
        TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource aborted = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await TestServer.StartAsync(transport, app => app.MapPost("/", async context =>
        {
            started.SetResult();
            await context.RequestAborted.Cancelled();
            aborted.SetResult();
        }));
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
        await started.Task.InTime();
        await client.SendAsync(new byte[50_000]);
        client.SendEof();
        await aborted.Task.InTime();
    }

    [Theory, OnEachTransport]
    public async Task HttpContext_Abort_resets_the_connection(TransportKind transport)
    {
        await using TestServer server = await TestServer.StartAsync(transport, static app => app.MapGet("/", static (HttpContext context) => context.Abort()));
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        Assert.Equal(SocketError.ConnectionReset, await client.ReadUntilErrorAsync().InTime());
    }

    [Theory, OnEachTransport]
    public async Task Half_a_body_then_EOF_is_an_error_of_the_request(TransportKind transport)
    {
        TaskCompletionSource<Exception?> seen = new();
        await using TestServer server = await TestServer.StartAsync(transport, app => app.MapPost("/", async context =>
            seen.SetResult(await Record.ExceptionAsync(async () => await context.Request.Body.CopyToAsync(Stream.Null)))));
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345");
        client.SendEof();
        Assert.IsAssignableFrom<IOException>(await seen.Task.InTime());
    }

    [Theory, OnEachTransport]
    public async Task Peers_that_reset_are_logged_at_Debug_only(TransportKind transport)
    {
        await using TestServer server = await TestServer.StartAsync(transport, static app => app.MapGet("/", static context => context.SendAsync("<Hello>")));
        for (int i = 0; i < 20; i++)
        {
            using RawClient client = await server.ConnectAsync();
            if (i % 4 > 0) await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..(i % 4 == 1 ? 10 : 27)]);
            if (i % 4 == 3) await client.ReadUntilAsync("<Hello>").InTime();
            client.Reset();
        }

        await server.StopAsync().InTime();
        Assert.DoesNotContain(server.Log.Lines, static line => line.Level >= LogLevel.Warning);
    }

    [Theory, OnEachTransport]
    public async Task What_was_written_before_the_handler_returned_arrives(TransportKind transport)
    {
        byte[] data = new byte[3_000_000];
        Random.Shared.NextBytes(data);
        await using TestServer server = await TestServer.StartRawAsync(transport, async connection => await connection.Transport.Output.WriteAsync(data));
        using RawClient client = await server.ConnectAsync();
        Assert.Equal(Encoding.Latin1.GetString(data), await client.ReadToEndAsync().InTime());
    }
}
