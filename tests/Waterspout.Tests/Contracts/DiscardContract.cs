namespace Waterspout.Tests;

/// <summary>Reads whose data nobody wants.</summary>
[Contract(Aspects.Receiving)]
public sealed class DiscardContract : StreamContract
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_comes_behind_the_discarded_bytes_is_read_next(bool isBuffered) => RunPair(async (left, right) =>
    {
        if (isBuffered) await Buffer(left, right, "dropped, and rest");
        Task discard = right.DiscardAsync(7).AsTask();
        if (!isBuffered) await left.WriteAsync("dropped, and rest"u8);
        await discard;
        await right.DiscardAsync(0);
        Assert.Equal(5, await right.DiscardUntilAsync("d"u8));
        await AssertReads(" rest", right.ReadBytesAsync(5));
    });

    [Fact]
    public void More_than_the_buffer_may_hold_is_discarded_in_the_memory_of_one_receive()
    {
        int count = Transport.Rounds(200_000);
        RunPair(async (left, right) =>
        {
            byte[] data = new byte[count];
            data[^1] = (byte)'\n';
            Task write = WriteTwiceAndMore(left, data);
            await right.DiscardAsync(count);
            Assert.InRange(right.UnreadBytes, 0, 1000);
            Assert.Equal(count, await right.DiscardUntilAsync("\n"u8));
            Assert.InRange(right.UnreadBytes, 0, 1000);
            await AssertReads("more", right.ReadBytesAsync(4));
            await write;
        }, new IOStreamOptions { MaxBufferSize = 2000, ReadChunkSize = 1000 });

        static async Task WriteTwiceAndMore(BaseIOStream stream, byte[] data)
        {
            await stream.WriteAsync(data.AsMemory());
            await stream.WriteAsync(data.AsMemory());
            await stream.WriteAsync("more"u8);
        }
    }

    [Fact]
    public void A_delimiter_that_comes_in_parts_ends_the_discard() => RunPair(async (left, right) =>
    {
        ValueTask<long> discard = right.DiscardUntilAsync("<<>>"u8);
        foreach (string part in (string[])["one<", "<", ">two<<", "<", ">"]) await SendAlone(left, Bytes(part));
        Assert.False(discard.IsCompleted);
        await left.WriteAsync(">rest"u8);
        Assert.Equal("one<<>two<<<>>".Length, await discard);
        await AssertReads("rest", right.ReadBytesAsync(4));
    });

    [Fact]
    public void A_cancelled_discard_up_to_a_delimiter_continues_in_the_middle_of_it() => RunPair(async (left, right) =>
    {
        using CancellationTokenSource cancellation = new();
        ValueTask<long> discard = right.DiscardUntilAsync("<>"u8, cancellation.Token);
        await SendAlone(left, Bytes("dropped<"));
        cancellation.Cancel();
        await AssertFails<OperationCanceledException>(discard);
        await left.WriteAsync(">rest"u8);
        Assert.InRange(await right.DiscardUntilAsync("<>"u8), 2, "dropped<>".Length);
        await AssertReads("rest", right.ReadBytesAsync(4));
    });

    [Fact]
    public void A_cancelled_discard_leaves_a_stream_that_can_be_used() => RunPair(async (left, right) =>
    {
        using CancellationTokenSource cancellation = new();
        ValueTask discard = right.DiscardAsync(100, cancellation.Token);
        await SendAlone(left, Bytes("dropped"));
        cancellation.Cancel();
        await AssertFails<OperationCanceledException>(discard);
        Assert.False(right.IsReading);
        await left.WriteAsync("rest\n"u8);
        Assert.EndsWith("rest\n", Text(await right.ReadUntilAsync("\n"u8)));
    });

    [Fact]
    public void An_end_before_all_is_discarded_says_how_much_is_missing() => RunPair(async (left, right) =>
    {
        Task write = WriteAndClose(left, "1234567");
        StreamClosedException error = await AssertFails<StreamClosedException>(right.DiscardAsync(10));
        Assert.Equal(CloseReason.EndOfStream, error.Reason);
        Assert.Contains("3 bytes", error.Message, StringComparison.Ordinal);
        await AssertFails<StreamClosedException>(right.DiscardUntilAsync("\n"u8));
        Assert.Empty(await right.ReadUntilCloseAsync());
        await write;
    });

    [Fact]
    public void A_discard_is_the_one_read_that_the_stream_takes() => RunPair(async (left, right) =>
    {
        Task discard = right.DiscardAsync(long.MaxValue).AsTask();
        Assert.True(right.IsReading);
        await AssertFails<InvalidOperationException>(right.DiscardUntilAsync("\n"u8));
        await AssertFails<InvalidOperationException>(right.DiscardAsync(1));
        right.Close();
        await Assert.ThrowsAsync<StreamClosedException>(() => discard);
    });

    [Fact]
    public void Arguments_are_checked_at_the_call() => RunPair((left, right) =>
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = right.DiscardAsync(-1); });
        Assert.Throws<ArgumentException>(() => { _ = right.DiscardUntilAsync([]); });
        return Task.CompletedTask;
    });
}
