using System.IO.Pipelines;
using System.Net.Sockets;
using Waterspout.Duplex;
using Waterspout.Tests.Tls;

namespace Waterspout.Tests.Duplex;

/// <summary>When the output of a connection sends, off the loop: with the flush, or later together with others.</summary>
[OnEachPoller]
public sealed class SendingTests : LoopTest
{
    [Fact]
    public void A_single_answer_is_sent_by_its_flush() => RunServer(async (client, server) =>
    {
        for (int i = 0; i < 3; i++) Assert.Equal(1, await AnswerAsync(client, server, 1));
    });

    [Fact]
    public void The_answers_of_a_multiplexed_protocol_are_sent_together_and_none_alone() => RunServer(async (client, server) =>
    {
        // Nobody knows yet that there are many.
        Assert.Equal(1, await AnswerAsync(client, server, 8));
        for (int i = 0; i < 3; i++) Assert.Equal(0, await AnswerAsync(client, server, 8));
        // It is known only when the next request arrives that this was one of its kind.
        Assert.Equal(0, await AnswerAsync(client, server, 1));
        Assert.Equal(1, await AnswerAsync(client, server, 1));
    });

    /// <summary>Receives a request, and flushes some answers. Returns how many calls of the system the flushes made themselves.</summary>
    private static async Task<int> AnswerAsync(Socket client, Server server, int count)
    {
        await client.SendAsync("?"u8.ToArray());
        ReadResult read = await server.Pipe.Input.ReadAsync();
        server.Pipe.Input.AdvanceTo(read.Buffer.End);
        int sends = FlushHere(server, count);
        byte[] answers = new byte[count];
        for (int at = 0; at < count;) at += await client.ReceiveAsync(answers.AsMemory(at));
        return sends;
    }

    private static int FlushHere(Server server, int count)
    {
        server.Descriptor.CountOn(Environment.CurrentManagedThreadId);
        for (int i = 0; i < count; i++)
        {
            server.Pipe.Output.GetSpan(1)[0] = (byte)i;
            server.Pipe.Output.Advance(1);
            Assert.True(server.Pipe.Output.FlushAsync().IsCompletedSuccessfully);
        }

        return server.Descriptor.CountOn(0);
    }

    private void RunServer(Func<Socket, Server, Task> body) => Run(() => Task.Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        Interop.Descriptor fd = Interop.FileDescriptors.Duplicate(Interop.Descriptor.Of(right.SafeHandle));
        right.Dispose();
        CountingDescriptor descriptor = new(fd);
        PipeConnection connection = new(Loop, descriptor);
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

    private sealed record Server(IDuplexPipe Pipe, CountingDescriptor Descriptor);

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
