using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Waterspout.Tests;

/// <summary>Dropped streams, and many short-lived ones.</summary>
[OnEachPoller]
public sealed class LeakTests : LoopTest
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_dropped_stream_is_closed_by_its_finalizer_and_logged(bool isPipe)
    {
        ExpectLog("was dropped without being closed");
        Run(async () =>
        {
            (BaseIOStream left, WeakReference dropped) = MakeAndDrop(isPipe);
            Task<byte[]> end = left.ReadUntilCloseAsync().AsTask();
            Collect();
            Assert.False(dropped.IsAlive);
            // The other side sees EOF, so the descriptor is closed.
            Assert.Empty(await end);
        });
    }

    [Fact]
    public void A_stream_that_is_awaited_is_not_collected() => Run(async () =>
    {
        (BaseIOStream left, Task<byte[]> read) = MakeAndRead();
        Collect();
        await left.WriteAsync("x"u8);
        Assert.Equal("x"u8.ToArray(), await read);
        left.Close();
    });

    [Fact]
    public void Two_thousand_connections_leave_no_descriptor_behind() => Run(async () =>
    {
        await using TcpServer server = new(Echo);
        EndPoint address = server.Listen(0, "127.0.0.1");
        int before = 0;
        for (int i = 0; i < 2000; i++)
        {
            if (i == 100) before = OpenDescriptors.Count;
            await using IOStream client = new(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
            await client.ConnectAsync(address);
            await client.WriteAsync("line\n"u8);
            Assert.Equal("line\n"u8.ToArray(), await client.ReadUntilAsync("\n"u8));
        }

        // The last of them may still be closing.
        Assert.InRange(OpenDescriptors.Count, 0, before + 10);
    });

    private static async Task Echo(IOStream stream)
    {
        while (true) await stream.WriteAsync(await stream.ReadUntilAsync("\n"u8));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (BaseIOStream Left, WeakReference Dropped) MakeAndDrop(bool isPipe)
    {
        if (isPipe)
        {
            (PipeIOStream reader, PipeIOStream writer) = PipeIOStream.CreatePair();
            return (reader, new WeakReference(writer));
        }

        (IOStream left, IOStream right) = IOStream.CreatePair();
        return (left, new WeakReference(right));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (BaseIOStream Left, Task<byte[]> Read) MakeAndRead()
    {
        (IOStream left, IOStream right) = IOStream.CreatePair();
        return (left, right.ReadBytesAsync(1).AsTask());
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }
}
