namespace Waterspout.Tests;

/// <summary>Orderly closes: everything is sent first, within a time limit.</summary>
[Contract(Aspects.Closing)]
public sealed class OrderlyCloseContract : StreamContract
{
    [Fact]
    public void Closing_in_order_sends_everything_first() => RunPair(async (left, right) =>
    {
        byte[] data = Clog(left, out Task write);
        Task close = left.CloseAsync(Timeout.InfiniteTimeSpan).AsTask();
        Assert.False(left.IsClosed);
        await AssertFails<StreamClosedException>(left.WriteAsync("late"u8));
        await AssertFails<StreamClosedException>(left.ReadBytesAsync(1));
        AssertSame(data, await right.ReadUntilCloseAsync());
        await close;
        await write;
        Assert.True(left.IsClosed);
        Assert.Equal(CloseReason.Local, left.CloseReason);
        Assert.Null(left.Error);
        Assert.Equal(CloseReason.EndOfStream, right.CloseReason);
    });

    [Fact]
    public void Closing_in_order_gives_up_at_its_time_limit() => RunPair(async (left, right) =>
    {
        Clog(left, out Task write);
        await left.CloseAsync(TimeSpan.FromMilliseconds(10));
        Assert.True(left.IsClosed);
        Assert.Equal(CloseReason.Timeout, left.CloseReason);
        Assert.IsType<TimeoutException>(left.Error);
        await Assert.ThrowsAsync<StreamClosedException>(() => write);
    });

    [Fact]
    public void A_negative_time_limit_is_refused() => RunPair((left, right) =>
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => _ = left.CloseAsync(TimeSpan.FromSeconds(-2)));
        Assert.False(left.IsClosed);
        return Task.CompletedTask;
    });

    [Fact]
    public void Both_sides_may_close_at_the_same_time() => Run(async () =>
    {
        for (int i = 0; i < Transport.Rounds(500); i++)
        {
            (BaseIOStream left, BaseIOStream right) = await Transport.ConnectAsync(null);
            if (i % 5 == 0) await left.WriteAsync("unread"u8);
            if (i % 3 == 0) left.Close();
            await Task.WhenAll(left.CloseAsync().AsTask(), right.CloseAsync().AsTask());
            Assert.True(left.IsClosed && right.IsClosed);
        }
    });
}
