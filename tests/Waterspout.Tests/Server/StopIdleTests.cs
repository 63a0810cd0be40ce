using System.Net;
using System.Net.Sockets;
using Waterspout.Testing;

namespace Waterspout.Tests;

/// <summary>A stop waits for what is on its way to the peers, and not for peers that have everything and stay connected.</summary>
[OnEachPoller]
public sealed class StopIdleTests : LoopTest
{
    private readonly ManualTimeProvider _clock = new();
    private IOStream? _served;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_client_that_stays_connected_does_not_hold_the_stop(bool isTcp) => RunByClock(async () =>
    {
        using Socket client = await StartAsync(isTcp, async (stream, stopping) =>
        {
            await stream.WriteAsync("hello\n"u8, CancellationToken.None);
            await stream.ReadBytesAsync(1, cancellationToken: stopping);
        });
        Task stop = Server.StopAsync(Timeout.InfiniteTimeSpan);
        if (isTcp) await AcknowledgedAsync();
        await AdvanceUntilAsync(() => stop.IsCompleted);
        await stop;
        Assert.Equal("hello\n"u8.ToArray(), ReadAll(client));
    });

    [Fact]
    public void A_connection_that_was_closing_before_the_stop_does_not_hold_it_either() => RunByClock(async () =>
    {
        using Socket client = await StartAsync(isTcp: true, static (_, _) => Task.CompletedTask);
        await Turns(3);
        Assert.Equal(1, Server.ConnectionCount);
        await AcknowledgedAsync();
        Task stop = Server.StopAsync(Timeout.InfiniteTimeSpan);
        await AdvanceUntilAsync(() => stop.IsCompleted);
    });

    [Fact]
    public void What_the_client_has_not_received_yet_holds_the_stop() => RunByClock(async () =>
    {
        byte[] data = new byte[400_000];
        TaskCompletionSource flushed = new();
        using Socket client = await StartAsync(isTcp: true, async (stream, _) =>
        {
            stream.Socket.SendBufferSize = 1_000_000;
            await stream.WriteAsync(data.AsMemory(), CancellationToken.None);
            await stream.FlushAsync(CancellationToken.None);
            flushed.SetResult();
        }, receiveBuffer: 4_096);
        await flushed.Task.WaitAsync(Limit);
        Task stop = Server.StopAsync(Timeout.InfiniteTimeSpan);
        await AdvanceAsync(20);
        Assert.False(stop.IsCompleted);
        Assert.Equal(data.Length, (await Task.Run(() => ReadAll(client))).Length);
        await AcknowledgedAsync();
        await AdvanceUntilAsync(() => stop.IsCompleted);
    });

    [Fact]
    public void A_client_that_still_sends_is_not_cut() => RunByClock(async () =>
    {
        using Socket client = await StartAsync(isTcp: true, static (_, _) => Task.CompletedTask);
        Task stop = Server.StopAsync(Timeout.InfiniteTimeSpan);
        for (int i = 0; i < 30; i++)
        {
            Assert.Equal(1_000, client.Send(new byte[1_000]));
            await Turns(3);
            await AdvanceAsync(1);
        }

        Assert.False(stop.IsCompleted);
        await AcknowledgedAsync();
        await AdvanceUntilAsync(() => stop.IsCompleted);
    });

    private TcpServer Server { get; set; } = null!;

    private void RunByClock(Func<Task> body) => Run(
        async () =>
        {
            await body();
            await Server.DisposeAsync();
        },
        options => options.TimeProvider = _clock);

    private async Task<Socket> StartAsync(bool isTcp, Func<IOStream, CancellationToken, Task> handler, int receiveBuffer = 100_000)
    {
        Server = new TcpServer((stream, stopping) =>
        {
            _served = stream;
            return handler(stream, stopping);
        });
        EndPoint address = Server.Listen(isTcp ? new IPEndPoint(IPAddress.Loopback, 0) : new UnixDomainSocketEndPoint($"\0{Guid.NewGuid()}"));
        Socket client = new(address.AddressFamily, SocketType.Stream, isTcp ? ProtocolType.Tcp : ProtocolType.Unspecified) { ReceiveBufferSize = receiveBuffer };
        client.Connect(address);
        while (Server.ConnectionCount == 0) await Turn();
        await Turns(3);
        return client;
    }

    /// <summary>Less than the ten seconds after which an orderly close gives up, so that it is not this that ends the stop.</summary>
    private async Task AdvanceUntilAsync(Func<bool> condition)
    {
        for (int i = 0; i < 100 && !condition(); i++) await AdvanceAsync(1);
        Assert.True(condition());
    }

    /// <summary>The client's system takes its time to acknowledge: some 40 ms of the real clock.</summary>
    private async Task AcknowledgedAsync()
    {
        const byte FinWait2 = 5;
        byte[] info = new byte[8];
        while (info[0] != FinWait2)
        {
            await Turn();
            if (_served is { IsClosed: false }) _served.Socket.GetRawSocketOption(6, 11 /* TCP_INFO */, info);
        }
    }

    private async Task AdvanceAsync(int times)
    {
        for (int i = 0; i < times; i++)
        {
            _clock.Advance(TimeSpan.FromMilliseconds(50));
            // What the clock's timers post, and what completes on the thread pool.
            await Turns(3);
            await Task.Run(static () => { });
        }
    }

    private static byte[] ReadAll(Socket client)
    {
        using MemoryStream all = new();
        using NetworkStream stream = new(client);
        stream.CopyTo(all);
        return all.ToArray();
    }
}
