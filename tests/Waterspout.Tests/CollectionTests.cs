using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Waterspout.Tests;

/// <summary>Unreferenced streams that still have work to do.</summary>
public sealed class CollectionTests : LoopTest
{
    [Fact]
    public void A_stream_that_is_being_connected_is_not_collected() => Run(async () =>
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        TaskCompletionSource<IOStream> connected = new();

        BeginConnect(listener.LocalEndPoint!, connected);
        Collect();

        (await connected.Task).Close();
    });

    [Fact]
    public void A_stream_with_unsent_data_is_not_collected() => Run(async () =>
    {
        const int Length = 4 * 1024 * 1024;
        (IOStream reader, WeakReference<IOStream> writer) = WriteOnPair(Length);
        Collect();

        // Rooted from here on: once everything is sent it may be collected.
        Assert.True(writer.TryGetTarget(out IOStream? stream));
        Assert.Equal(Length, (await reader.ReadBytesAsync(Length)).Length);
        stream.Close();
        reader.Close();
    });

    [Fact]
    public void Streams_that_were_dropped_are_closed_when_their_loop_is_disposed() => Check(() =>
    {
        // Collected, but perhaps not yet finalized, when the loop ends: whichever comes first closes them.
        for (int i = 0; i < 20; i++)
        {
            using IOLoop loop = new();
            DropPairs(loop);
            GC.Collect();
        }
    });

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DropPairs(IOLoop loop) => loop.RunSync(() =>
    {
        for (int i = 0; i < 20; i++) PipeIOStream.CreatePair();
        return Task.CompletedTask;
    });

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void BeginConnect(EndPoint address, TaskCompletionSource<IOStream> connected)
    {
        IOStream stream = new(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        stream.Connect(address, () => connected.SetResult(stream));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (IOStream Reader, WeakReference<IOStream> Writer) WriteOnPair(int length)
    {
        (IOStream reader, IOStream writer) = IOStream.CreatePair();
        writer.Write(new byte[length]);
        return (reader, new WeakReference<IOStream>(writer));
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }
}
