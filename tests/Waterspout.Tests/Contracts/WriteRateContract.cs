using Waterspout.Testing;

namespace Waterspout.Tests;

/// <summary>The rate at which a peer must take data while some waits to be sent.</summary>
[Contract(Aspects.Sending)]
public sealed class WriteRateContract : StreamContract
{
    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);
    private static readonly IOStreamOptions s_options = new() { MinimumWriteRate = new MinimumRate(100, 5 * s_second) };

    private readonly ManualTimeProvider _clock = new();

    [Fact]
    public void A_peer_that_takes_nothing_has_the_grace_period_and_then_the_stream_closes() => RunManually(async (left, _) =>
    {
        Clog(left, out Task write);
        await Turns(20);
        await Advance(4.999 * s_second);
        Assert.False(left.IsClosed);
        Assert.False(write.IsCompleted);
        await Advance(0.001 * s_second);
        // Once more, if an acknowledgement of what was in flight has come just now.
        if (!left.IsClosed) await Advance(5 * s_second);
        StreamClosedException closed = await Assert.ThrowsAsync<StreamClosedException>(() => write);
        Assert.Equal(CloseReason.Timeout, closed.Reason);
        Assert.Contains("took less than 100 bytes a second", Assert.IsType<TimeoutException>(left.Error).Message);
    });

    [Fact]
    public void A_peer_that_keeps_the_rate_may_take_any_time() => RunManually(async (left, right) =>
    {
        byte[] data = Clog(left, out Task write);
        byte[] read = new byte[data.Length];
        // More than the peer's receive buffer: until that is nearly empty, its system does not say that anything was read.
        int step = Math.Max(data.Length / 8, 128 * 1024);
        for (int start = 0; start < data.Length; start += step)
        {
            await Turns(20);
            await Advance(4 * s_second);
            Assert.False(left.IsClosed);
            await right.ReadIntoAsync(read.AsMemory(start, Math.Min(step, data.Length - start)));
        }

        await write;
        AssertSame(data, read);
    });

    [Fact]
    public void Time_in_which_nothing_waits_does_not_count() => RunManually(async (left, right) =>
    {
        for (int i = 0; i < 10; i++)
        {
            await Advance(TimeSpan.FromHours(1));
            await left.WriteAsync("x"u8);
            await right.ReadBytesAsync(1);
        }

        Assert.False(left.IsClosed);
    });

    /// <summary>On a loop whose clock the test moves. The guard against hanging uses the machine's.</summary>
    private void RunManually(Func<BaseIOStream, BaseIOStream, Task> body)
    {
        Check(() => Loop.RunSync(() => RunAsync().WaitAsync(Limit)), options => options.TimeProvider = _clock);

        async Task RunAsync()
        {
            (BaseIOStream left, BaseIOStream right) = await Transport.ConnectAsync(s_options);
            await body(left, right);
        }
    }

    private async Task Advance(TimeSpan time)
    {
        _clock.Advance(time);
        // What is due may set what is due then.
        await Turns(4);
    }
}
