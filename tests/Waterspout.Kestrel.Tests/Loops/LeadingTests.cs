using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Waterspout.Kestrel.Loops;
using Waterspout.Kestrel.Tests.Behaviour;

namespace Waterspout.Kestrel.Tests.Loops;

/// <summary>Who runs the loops, and what happens when that one blocks or does not come.</summary>
[Collection(Alone.Name)]
public sealed class LeadingTests
{
    [Fact]
    public async Task What_a_leader_has_flushed_and_deferred_is_sent_although_its_handler_does_not_return()
    {
        using ManualResetEventSlim release = new();
        await using TestServer server = await TestServer.StartAsync(TransportKind.Waterspout, app => app.MapGet("/", async context =>
        {
            if (!Lease.IsHeld)
            {
                await context.SendAsync("<again>");
                return;
            }

            await context.Response.WriteAsync("<first>");
            await context.Response.Body.FlushAsync();
            Assert.True(Lease.IsHeld);
            release.Wait();
            await context.Response.WriteAsync("<second>");
        }));
        using RawClient client = await server.ConnectAsync();
        string answer;
        do
        {
            await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            answer = await client.ReadUntilAsync(">").InTime();
        }
        while (answer.EndsWith("<again>", StringComparison.Ordinal));
        Assert.EndsWith("<first>", answer, StringComparison.Ordinal);
        release.Set();
        await client.ReadUntilAsync("<second>").InTime();
    }

    [Fact]
    public async Task Sends_need_no_thread_of_the_pool()
    {
        const int Size = 30_000_000;
        await using TestServer server = await TestServer.StartRawAsync(
            TransportKind.Waterspout,
            static async connection =>
            {
                ReadResult read;
                while (!(read = await connection.Transport.Input.ReadAsync()).IsCompleted)
                {
                    byte[] answer = read.Buffer.FirstSpan[0] == 'd' ? new byte[Size] : [Lease.IsHeld ? (byte)1 : (byte)0];
                    connection.Transport.Input.AdvanceTo(read.Buffer.End);
                    await connection.Transport.Output.WriteAsync(answer);
                }
            },
            static options =>
            {
                options.LoopCount = 1;
                options.MaxWriteBufferSize = null;
            });
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("d");
        byte[] answer = new byte[1];
        await client.Socket.ReceiveAsync(answer).InTime();
        using RawClient other = await server.ConnectAsync();
        // Until a leader runs it: so its next work waits for one too.
        for (answer[0] = 0; answer[0] == 0; await other.Socket.ReceiveAsync(answer).InTime()) await other.SendAsync("?");
        int received = await OffThePool(() =>
        {
            using PoolThreads blocked = new();
            // Work for a leader, for which there is no thread.
            other.Socket.Send("?"u8);
            byte[] buffer = new byte[100_000];
            client.Socket.ReceiveTimeout = (int)Waiting.Limit.TotalMilliseconds;
            int count = 1;
            while (count < Size) count += client.Socket.Receive(buffer);
            return count;
        });
        Assert.Equal(Size, received);
    }

    [Fact]
    public async Task All_addresses_share_the_loops_which_end_with_the_last()
    {
        Assert.Equal(0, CountThreads());
        TestServer server = await TestServer.StartAsync(
            TransportKind.Waterspout,
            static app => app.MapGet("/", static context => context.SendAsync("<Hello>")),
            kestrel: static kestrel =>
            {
                for (int i = 0; i < 4; i++) kestrel.Listen(IPAddress.Loopback, 0);
            },
            transportOptions: static options => options.LoopCount = 3);
        foreach (Uri address in server.Addresses)
        {
            using RawClient client = await RawClient.ConnectAsync(new IPEndPoint(IPAddress.Loopback, address.Port));
            await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            await client.ReadUntilAsync("<Hello>").InTime();
        }

        Assert.Equal(3, CountThreads());
        await server.DisposeAsync();
        while (CountThreads() > 0) await Task.Yield();
    }

    /// <summary>Threads of loops. The system keeps 15 letters of a name.</summary>
    private static int CountThreads() => Directory.GetDirectories("/proc/self/task").Count(static thread =>
    {
        try
        {
            return File.ReadAllText(thread + "/comm").StartsWith("Waterspout tran", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false; // it has ended meanwhile
        }
    });

    private static Task<T> OffThePool<T>(Func<T> call)
    {
        TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Thread thread = new(() =>
        {
            try
            {
                done.SetResult(call());
            }
            catch (Exception error)
            {
                done.SetException(error);
            }
        })
        { IsBackground = true };
        thread.Start();
        return done.Task;
    }

    /// <summary>Blocks the threads of the pool, with more behind them than it adds within the time of a test.</summary>
    private sealed class PoolThreads : IDisposable
    {
        private readonly ManualResetEventSlim _release = new();
        private int _blocked;

        internal PoolThreads()
        {
            ThreadPool.GetMinThreads(out int workers, out _);
            for (int i = 0; i < workers + 500; i++)
            {
                ThreadPool.UnsafeQueueUserWorkItem(_ =>
                {
                    Interlocked.Increment(ref _blocked);
                    _release.Wait();
                }, null);
            }

            while (Volatile.Read(ref _blocked) < workers) Thread.Yield();
        }

        public void Dispose() => _release.Set();
    }
}
