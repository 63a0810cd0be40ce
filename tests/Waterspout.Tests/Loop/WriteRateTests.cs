using System.Net;
using System.Net.Sockets;

namespace Waterspout.Tests;

/// <summary>The limits of sending, with a peer that takes from its socket exactly what the test says.</summary>
[OnEachPoller]
public sealed class WriteRateTests : ManualLoopTest
{
    // The peer's system says that something was read when its buffer is nearly empty: twice what is asked for.
    private const int PeerBuffer = 256 * 1024;
    private const int Step = 2 * PeerBuffer;

    // The system accepts more again when a third of its own buffer is free, which is several steps: twice what is asked for.
    private const int OwnBuffer = 2 * 1024 * 1024;

    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);
    private static readonly MinimumRate s_rate = new(100, 5 * s_second);

    [Fact]
    public void A_trickle_is_stopped() => RunClogged(new IOStreamOptions { MinimumWriteRate = s_rate }, async (stream, peer) =>
    {
        for (int i = 0; i < 6; i++)
        {
            await Advance(s_second);
            peer.Receive(new byte[1]);
        }

        Assert.Equal(CloseReason.Timeout, stream.CloseReason);
        Assert.Equal(1, Loop.Counters.Timeouts[(int)Diagnostics.TimedOperation.Write]);
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_peer_that_takes_data_which_the_system_has_already_accepted_makes_progress(bool isRate)
    {
        IOStreamOptions options = isRate ? new() { MinimumWriteRate = s_rate } : new() { WriteTimeout = 5 * s_second };
        RunClogged(options, async (stream, peer) =>
        {
            // Fewer steps than make room for a send.
            long sent = Loop.Counters.BytesOut;
            for (int i = 0; i < 2; i++)
            {
                await Advance(4 * s_second);
                Assert.False(stream.IsClosed);
                long held = Held();
                Receive(peer, Step);
                // What the system sends now is acknowledged a little later.
                while (Held() > held - (Step / 2)) await Turn();
            }

            await Advance(4 * s_second);
            Assert.False(stream.IsClosed);
            Assert.Equal(sent, Loop.Counters.BytesOut);
            await Advance(5 * s_second);
            await Advance(5 * s_second);
            Assert.Equal(CloseReason.Timeout, stream.CloseReason);
        });

        long Held() => Assert.Single(Loop.GetStreams()).SystemWriteBuffered;
    }

    [Fact]
    public void The_sooner_of_rate_and_time_limit_closes_the_stream() =>
        RunClogged(new IOStreamOptions { MinimumWriteRate = s_rate, WriteTimeout = 3 * s_second }, async (stream, _) =>
        {
            await Advance(2.999 * s_second);
            Assert.False(stream.IsClosed);
            await Advance(0.001 * s_second);
            await Turn();
            Assert.Contains("00:00:03", Assert.IsType<TimeoutException>(stream.Error).Message);
            Assert.Equal(0, Loop.TimerCount);
        });

    [Fact]
    public void An_orderly_close_is_limited_by_the_rate_too() =>
        RunClogged(new IOStreamOptions { MinimumWriteRate = s_rate }, async (stream, _) =>
        {
            ValueTask closing = stream.CloseAsync(TimeSpan.FromHours(1));
            await Advance(s_second);
            await Advance(4 * s_second);
            await closing;
            Assert.Equal(CloseReason.Timeout, stream.CloseReason);
        });

    private static void Receive(Socket peer, int count)
    {
        byte[] rest = new byte[count];
        for (int got = 0; got < count;) got += peer.Receive(rest.AsSpan(got));
    }

    private void RunClogged(IOStreamOptions options, Func<IOStream, Socket, Task> body) => RunManually(async () =>
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = PeerBuffer };
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        Socket left = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { SendBufferSize = OwnBuffer };
        left.Connect(listener.LocalEndPoint!);
        using Socket peer = listener.Accept();
        IOStream stream = new(left, options);
        Task write = stream.WriteAsync(new byte[32 * 1024 * 1024].AsMemory()).AsTask();
        await Turns(50);
        Assert.False(write.IsCompleted);
        // What has arrived is acknowledged in the system's own time. Until then it would count as taken by the peer.
        while (Assert.Single(Loop.GetStreams()).SystemWriteBuffered + peer.Available > Loop.Counters.BytesOut) await Turn();
        await body(stream, peer);
        await Assert.ThrowsAsync<StreamClosedException>(() => write);
    });
}
