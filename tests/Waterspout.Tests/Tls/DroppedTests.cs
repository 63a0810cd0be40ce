using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;

namespace Waterspout.Tests.Tls;

/// <summary>Unreferenced streams. SslStream may wait for data on one, which does not count as a reference.</summary>
[OnEachPoller]
public sealed class DroppedTests : TlsTest
{
    private const int MuchData = 24 * 1024 * 1024;

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_dropped_stream_is_closed_by_its_finalizer_though_TLS_waits_for_data(SslProtocols protocol)
    {
        ExpectLog("was dropped without being closed");
        Run(async () =>
        {
            (SslIOStream peer, WeakReference dropped) = await ConnectAsync(protocol, CancelReadAsync);
            // Parts of the handshake may still be on a stack of the thread pool's.
            while (dropped.IsAlive) await CollectAsync();
            // The other side sees EOF, so the descriptor is closed.
            StreamClosedException end = await Assert.ThrowsAsync<StreamClosedException>(() => peer.ReadUntilCloseAsync().AsTask());
            Assert.Equal(CloseReason.Truncated, end.Reason);
        });
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_stream_with_a_pending_read_is_not_collected(SslProtocols protocol) => Run(async () =>
    {
        TaskCompletionSource<byte[]> read = new();
        (SslIOStream peer, WeakReference kept) = await ConnectAsync(protocol, async stream =>
        {
            await CancelReadAsync(stream);
            _ = ReadAsync(stream, read);
        });
        await CollectAsync();
        // Rooted from here on: once the read is done it may be collected.
        SslIOStream stream = Assert.IsType<SslIOStream>(kept.Target);
        await peer.WriteAsync("x"u8);
        Assert.Equal("x", Text(await read.Task));
        stream.Close();
        peer.Close();
    });

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_stream_whose_end_is_awaited_is_not_collected(SslProtocols protocol) => Run(async () =>
    {
        Task? closed = null;
        (SslIOStream peer, WeakReference kept) = await ConnectAsync(protocol, async stream =>
        {
            await CancelReadAsync(stream);
            closed = WhenClosed(stream);
        });
        await CollectAsync();
        Assert.True(kept.IsAlive);
        Assert.False(closed!.IsCompleted);
        peer.Close();
        await closed;
    });

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_stream_with_unsent_data_is_kept_alive(SslProtocols protocol) => Run(async () =>
    {
        (SslIOStream peer, WeakReference kept) = await ConnectAsync(protocol, async stream =>
        {
            await CancelReadAsync(stream);
            stream.Write(new byte[MuchData]);
        });
        await CollectAsync();
        // Rooted from here on: once everything is sent it may be collected.
        SslIOStream stream = Assert.IsType<SslIOStream>(kept.Target);
        byte[] received = new byte[MuchData];
        await peer.ReadIntoAsync(received);
        stream.Close();
        peer.Close();
    });

    /// <summary>Creates a pair, does something with one of them, and keeps only the other one.</summary>
    private static async Task<(SslIOStream Peer, WeakReference Other)> ConnectAsync(SslProtocols protocol, Func<SslIOStream, Task> use)
    {
        SslServerAuthenticationOptions options = TestCertificates.ServerOptions();
        options.EnabledSslProtocols = protocol;
        (SslIOStream client, SslIOStream server) = await ConnectPairAsync(server: options);
        await AssertEchoes(client, server);
        await use(client);
        return (server, new WeakReference(client));
    }

    // A task of the read itself would keep the stream alive.
    private static async Task ReadAsync(SslIOStream stream, TaskCompletionSource<byte[]> read) => read.SetResult(await stream.ReadBytesAsync(1));

    // Resumes in a turn of its own, where nothing but what follows keeps the stream alive.
    private async Task CancelReadAsync(SslIOStream stream)
    {
        using CancellationTokenSource cancellation = new();
        Task<byte[]> read = stream.ReadBytesAsync(1, cancellationToken: cancellation.Token).AsTask();
        cancellation.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        await Turn();
    }

    // What has just run is on the stack, and in the loop's lists, for a turn or two.
    private async Task CollectAsync()
    {
        await Turns(3);
        Collect();
        await Turns(3);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }
}
