using System.IO.Pipelines;
using System.Net.Sockets;
using Waterspout.Duplex;
using Waterspout.Loop;
using Waterspout.Tests.Tls;

namespace Waterspout.Tests.Duplex;

/// <summary>A receive meets the peer's EOF at the moment at which a send fails on another thread: the close happens within the receive.</summary>
[OnEachPoller]
public sealed class EndMeetsFailureTests : LoopTest
{
    [Fact]
    public void A_pending_read_of_the_pipe_is_completed_once() => RunAtEnd(async (peer, connection) =>
    {
        Task<ReadResult> read = ((IDuplexPipe)connection).Input.ReadAsync().AsTask();
        peer.Shutdown(SocketShutdown.Send);
        Assert.True((await read).IsCompleted);
    });

    [Fact]
    public void A_pending_read_of_the_stream_is_completed_once() => RunAtEnd(static async (peer, connection) =>
    {
        Task<int> read = new ConnectionStream(connection).ReadAsync(new byte[10]).AsTask();
        peer.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await read);
    });

    [Fact]
    public void A_read_that_blocks_is_completed_once() => RunAtEnd(static async (peer, connection) =>
    {
        using ConnectionStream stream = new(connection);
        Task<int> read = Task.Run(() => stream.Read(new byte[10], 0, 10));
        peer.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await read);
    });

    private void RunAtEnd(Func<Socket, PipeConnection, Task> body) => Run(() => Task.Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        Interop.Descriptor fd = Interop.FileDescriptors.Duplicate(Interop.Descriptor.Of(right.SafeHandle));
        right.Dispose();
        FailingConnection connection = new(Loop, new SocketDescriptor(fd));
        await Loop.InvokeAsync(() =>
        {
            connection.Start();
            return Task.CompletedTask;
        });
        await body(left, connection);
        left.Dispose();
        await connection.Finished;
    }));

    /// <summary>Fails between the end of the input and what follows of it.</summary>
    private sealed class FailingConnection(IConnectionLoop loop, IConnectionDescriptor descriptor) : PipeConnection(loop, descriptor)
    {
        protected override void OnClosedSignalled() => Settle(new IOException("A send has failed."));
    }
}
