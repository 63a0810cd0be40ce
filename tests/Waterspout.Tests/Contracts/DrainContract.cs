namespace Waterspout.Tests;

/// <summary>Orderly closes while the peer may still send.</summary>
[Contract(Aspects.Duplex)]
public sealed class DrainContract : StreamContract
{
    private static readonly IOStreamOptions s_halfOpen = new() { AllowHalfOpen = true };

    [Fact]
    public void Closing_in_order_does_not_reset_a_peer_that_is_still_sending() => RunPair(async (left, right) =>
    {
        // The right side has unread data, and more on the way, when it closes; what it had sent must still arrive.
        byte[] request = Clog(left, out Task write);
        byte[] answer = RandomBytes(new Random(4), 1_000_000);
        await right.ReadBytesAsync(1);
        Task answered = right.WriteAsync((ReadOnlyMemory<byte>)answer).AsTask();
        Task close = right.CloseAsync().AsTask();
        AssertSame(answer, await left.ReadBytesAsync(answer.Length));
        await write;
        await left.CloseAsync();
        await close;
        await answered;
        Assert.Equal(CloseReason.Local, right.CloseReason);
        Assert.Null(left.Error);
    }, s_halfOpen);

    [Fact]
    public void What_is_buffered_can_be_read_while_the_close_sends_and_while_it_drains() => RunPair(async (left, right) =>
    {
        byte[] answer = Clog(right, out Task write);
        await Buffer(left, right, "line\nregex,parse;into rest");
        Task close = right.CloseAsync(Timeout.InfiniteTimeSpan).AsTask();
        await AssertReads("line\n", right.ReadUntilAsync("\n"u8));
        Task<byte[]> answered = left.ReadBytesAsync(answer.Length).AsTask();
        AssertSame(answer, await answered);
        await write;
        await AssertFails<StreamClosedException>(left.ReadBytesAsync(1)); // so the right side has sent EOF, and drains
        Assert.False(right.IsClosed);
        Assert.False(right.IsReading);

        await AssertReads("regex,", right.ReadUntilRegexAsync("x,"));
        Assert.Equal("parse;", await right.ReadUntilAsync(";"u8, static data => Text(data)));
        byte[] target = new byte[5];
        await right.ReadIntoAsync(target);
        Assert.Equal("into ", Text(target));
        Assert.Equal("re", Text((await right.PeekAsync(2)).Span));
        // Nothing more comes, and that is reported at once; the close continues.
        await left.WriteAsync("late"u8);
        await AssertFails<StreamClosedException>(right.ReadBytesAsync(5));
        await AssertFails<StreamClosedException>(right.ReadUntilAsync("none"u8));
        await AssertFails<UnsatisfiableReadException>(right.ReadUntilAsync("none"u8, maxBytes: 2));
        await AssertFails<StreamClosedException>(right.ReadUntilCloseAsync());
        Assert.False(right.IsClosed);
        await AssertReads("rest", right.ReadBytesAsync(4));

        await left.CloseAsync();
        await close;
        Assert.Equal(CloseReason.Local, right.CloseReason);
        await AssertFails<StreamClosedException>(right.ReadBytesAsync(1));
    }, s_halfOpen);

    [Fact]
    public void The_drain_takes_any_amount_and_leaves_what_is_buffered() => RunPair(async (left, right) =>
    {
        await Buffer(left, right, "kept");
        Task close = right.CloseAsync(Timeout.InfiniteTimeSpan).AsTask();
        Clog(left, out Task write);
        await write;
        await left.CloseAsync();
        await close;
        Assert.Equal(CloseReason.Local, right.CloseReason);
        Assert.Null(right.Error);
        await AssertReads("kept", right.ReadBytesAsync(4));
    }, s_halfOpen with { MaxBufferSize = 10_240, MaxWriteBufferSize = 1L << 30 });

    [Fact]
    public void The_time_limit_of_reads_does_not_end_the_drain()
    {
        IOStreamOptions options = s_halfOpen with { ReadTimeout = TimeSpan.FromMilliseconds(20) };
        RunPair(async (left, right) =>
        {
            (BaseIOStream _, BaseIOStream other) = await Transport.ConnectAsync(options);
            Task close = right.CloseAsync(Timeout.InfiniteTimeSpan).AsTask();
            await AssertFails<StreamClosedException>(left.ReadBytesAsync(1)); // so the right side drains
            // A read that begins later is cancelled.
            await AssertFails<TimeoutException>(other.ReadBytesAsync(1));
            Assert.False(close.IsCompleted);
            await left.CloseAsync();
            await close;
            Assert.Equal(CloseReason.Local, right.CloseReason);
        }, options);
    }
}
