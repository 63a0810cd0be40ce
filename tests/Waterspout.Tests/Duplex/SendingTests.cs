using System.IO.Pipelines;
using System.Net.Sockets;
using Waterspout.Duplex;
using Waterspout.Tests.Tls;

namespace Waterspout.Tests.Duplex;

/// <summary>When the output of a connection sends, off the loop: by the flush, or later together with others.</summary>
[OnEachPoller]
public sealed class SendingTests : LoopTest
{
    private const int Much = 32 * 1024;
    private const int Big = 8 * 1024 * 1024; // more than the kernel takes

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public void Small_flushes_are_left_to_the_thread_pool(int count) => RunServer(async (client, server) =>
    {
        for (int i = 0; i < 3; i++) Assert.Equal(0, await AnswerAsync(client, server, () => FlushHere(server, count), count));
    });

    [Fact]
    public void A_flush_of_much_data_sends_at_once() => RunServer(async (client, server) =>
    {
        Assert.Equal(1, await AnswerAsync(client, server, () => FlushHere(server, 1, Much), Much));
    });

    [Fact]
    public void A_write_that_blocks_its_thread_sends_at_once() => RunServer(async (client, server) =>
    {
        ConnectionStream stream = ConnectionStream.Over(server.Connection);
        int sends = await AnswerAsync(client, server, () =>
        {
            server.Descriptor.CountOn(Environment.CurrentManagedThreadId);
            stream.Write([1]);
            return server.Descriptor.CountOn(0);
        }, 1);
        Assert.Equal(1, sends);
    });

    [Fact]
    public void What_arrived_before_a_send_fails_is_read_before_the_error() => RunServer(async (client, server) =>
    {
        FlushHere(server, 1);
        while (client.Available == 0) await Task.Yield(); // unread, it makes the close a reset
        // Not disposed: the loop may begin to wait only after the test.
        ManualResetEventSlim isBlocked = new(), isOver = new();
        Loop.AddCallback(() =>
        {
            // So the send notices the reset, and not an event.
            isBlocked.Set();
            isOver.Wait();
        });
        isBlocked.Wait();
        client.Send("last"u8);
        client.Close();
        FlushResult flushed;
        do
        {
            server.Connection.Output.GetSpan(Much);
            server.Connection.Output.Advance(Much);
            flushed = await server.Connection.Output.FlushAsync();
        }
        while (!flushed.IsCompleted);
        isOver.Set();
        ReadResult read = await server.Connection.Input.ReadAsync();
        Assert.Equal("last"u8, read.Buffer.FirstSpan);
        server.Connection.Input.AdvanceTo(read.Buffer.End);
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(async () => await server.Connection.Input.ReadAsync());
        Assert.Equal(CloseReason.Reset, error.Reason);
    });

    [Fact]
    public void A_send_that_fails_after_the_end_of_both_sides_closes_the_connection() => RunServer(async (client, server) =>
    {
        client.Shutdown(SocketShutdown.Send);
        Assert.True((await server.Connection.Input.ReadAsync()).IsCompleted);
        server.Connection.Output.GetSpan(Big);
        server.Connection.Output.Advance(Big);
        // Without a limit of time, as in a web server: only the failure ends this.
        Task sent = server.Connection.CloseAsync();
        Assert.False(sent.IsCompleted);
        client.LingerState = new LingerOption(true, 0);
        client.Close();
        await server.Connection.Finished;
        await sent;
    });

    /// <summary>Receives a request, and answers. Returns how many calls of the system the answering thread made itself.</summary>
    private static async Task<int> AnswerAsync(Socket client, Server server, Func<int> answer, int size)
    {
        await client.SendAsync("?"u8.ToArray());
        ReadResult read = await server.Connection.Input.ReadAsync();
        server.Connection.Input.AdvanceTo(read.Buffer.End);
        int sends = answer();
        byte[] answers = new byte[size];
        for (int at = 0; at < size;) at += await client.ReceiveAsync(answers.AsMemory(at));
        return sends;
    }

    private static int FlushHere(Server server, int count, int size = 1)
    {
        server.Descriptor.CountOn(Environment.CurrentManagedThreadId);
        for (int i = 0; i < count; i++)
        {
            server.Connection.Output.GetSpan(size)[..size].Fill((byte)i);
            server.Connection.Output.Advance(size);
            Assert.True(server.Connection.Output.FlushAsync().IsCompletedSuccessfully);
        }

        return server.Descriptor.CountOn(0);
    }

    private void RunServer(Func<Socket, Server, Task> body) => Run(() => Task.Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        Interop.Descriptor fd = Interop.FileDescriptors.Duplicate(Interop.Descriptor.Of(right.SafeHandle));
        right.Dispose();
        CountingDescriptor descriptor = new(fd);
        UnlimitedConnection connection = new(Loop, descriptor);
        await Loop.InvokeAsync(() =>
        {
            connection.Start(mayBeReadable: true);
            return Task.CompletedTask;
        });
        await body(left, new Server(connection, descriptor));
        left.Dispose();
        await connection.CloseAsync();
        await connection.Finished;
    }));

    private sealed class UnlimitedConnection(IOLoop loop, IConnectionDescriptor descriptor) : PipeConnection(loop, descriptor)
    {
        protected override bool LimitsSending => false;
    }

    private sealed record Server(PipeConnection Connection, CountingDescriptor Descriptor);

    /// <summary>Counts the sends that one thread makes.</summary>
    private sealed class CountingDescriptor(Interop.Descriptor fd) : SocketDescriptor(fd), IConnectionDescriptor
    {
        private int _thread;
        private int _count;

        /// <summary>Counts on another thread from now on, and returns what was counted so far.</summary>
        internal int CountOn(int thread)
        {
            _thread = thread;
            return Interlocked.Exchange(ref _count, 0);
        }

        int? IConnectionDescriptor.Send(ReadOnlySpan<byte> data)
        {
            Count();
            return Send(data);
        }

        int? IConnectionDescriptor.Send(ReadOnlyMemory<byte> data)
        {
            Count();
            return Send(data.Span);
        }

        int? IConnectionDescriptor.Send(ReadOnlySpan<ReadOnlyMemory<byte>> pieces)
        {
            Count();
            return Send(pieces);
        }

        private void Count()
        {
            if (Environment.CurrentManagedThreadId == _thread) _count++;
        }
    }
}
