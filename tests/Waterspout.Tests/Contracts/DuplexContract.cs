namespace Waterspout.Tests;

/// <summary>Transports that carry data both ways: half-close, resets, both directions at once.</summary>
[Contract(Aspects.Duplex)]
public sealed class DuplexContract : StreamContract
{
    private static readonly IOStreamOptions s_halfOpen = new() { AllowHalfOpen = true };

    [Fact]
    public void Both_directions_carry_data_at_the_same_time()
    {
        Random random = NewRandom();
        byte[] there = RandomBytes(random, 1_000_000), back = RandomBytes(random, 1_000_000);
        RunPair(async (left, right) =>
        {
            Task write = Task.WhenAll(WriteInPieces(left, there, random), WriteInPieces(right, back, random));
            Task<byte[]> atRight = ReadInPieces(right, there.Length, random), atLeft = ReadInPieces(left, back.Length, random);
            AssertSame(there, await atRight);
            AssertSame(back, await atLeft);
            await write;
        });
    }

    [Fact]
    public void A_peer_that_exceeds_a_limit_gets_an_answer_and_can_continue() => RunPair(async (left, right) =>
    {
        await left.WriteAsync("a line that is too long\nshort\n"u8);
        await AssertFails<UnsatisfiableReadException>(right.ReadUntilAsync("\n"u8, maxBytes: 10));
        await right.WriteAsync("500 Line too long\n"u8);
        await AssertReads("500 Line too long\n", left.ReadUntilAsync("\n"u8));
        Assert.Equal(24, await right.DiscardUntilAsync("\n"u8));
        await AssertReads("short\n", right.ReadUntilAsync("\n"u8, maxBytes: 10));
    });

    [Fact]
    public void A_peer_that_has_ended_its_side_still_gets_its_answer() => RunPair(async (left, right) =>
    {
        await left.WriteAsync("request\n"u8);
        await left.CompleteWritesAsync();
        await AssertReads("request\n", right.ReadUntilAsync("\n"u8));
        await right.WriteAsync("answer"u8);
        await AssertReads("answer", left.ReadUntilCloseAsync());
        Assert.True(left.IsClosed);
        await WhenClosed(right);
        Assert.Equal(CloseReason.EndOfStream, right.CloseReason);
    });

    [Fact]
    public void A_large_answer_in_the_write_buffer_is_sent_after_the_peers_end() => RunPair(async (left, right) =>
    {
        byte[] answer = RandomBytes(new Random(2), Transport.MoreThanTheKernelTakes);
        await left.WriteAsync("request\n"u8);
        await left.CompleteWritesAsync();
        await AssertReads("request\n", right.ReadUntilAsync("\n"u8));
        right.Write(answer);
        AssertSame(answer, await left.ReadUntilCloseAsync());
        await WhenClosed(right);
        Assert.Equal(CloseReason.EndOfStream, right.CloseReason);
    });

    [Fact]
    public void The_peers_end_closes_both_ways_and_fails_a_waiting_write() => RunPair(async (left, right) =>
    {
        ExpectUnsent();
        Clog(right, out Task write);
        ValueTask<byte[]> read = right.ReadBytesAsync(1);
        await left.CompleteWritesAsync();
        await AssertFails<StreamClosedException>(read);
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(() => write);
        Assert.Equal(CloseReason.EndOfStream, error.Reason);
        Assert.True(right.IsClosed);
    });

    [Fact]
    public void Half_open_streams_stay_writable_after_the_peers_end() => RunPair(async (left, right) =>
    {
        await left.WriteAsync("x"u8);
        await left.CompleteWritesAsync();
        await left.CompleteWritesAsync();
        await AssertFails<InvalidOperationException>(left.WriteAsync("y"u8));
        await AssertReads("x", right.ReadUntilCloseAsync());
        await AssertFails<StreamClosedException>(right.ReadBytesAsync(1));
        Assert.False(right.IsClosed);
        Assert.False(right.Closed.IsCancellationRequested);
        for (int i = 0; i < 3; i++)
        {
            await right.WriteAsync(Bytes($"answer {i}\n"));
            await AssertReads($"answer {i}\n", left.ReadUntilAsync("\n"u8));
        }

        Task leftClosed = WhenClosed(left), rightClosed = WhenClosed(right);
        await right.CompleteWritesAsync();
        await rightClosed;
        await leftClosed;
        Assert.Equal(CloseReason.EndOfStream, left.CloseReason);
        Assert.Equal(CloseReason.EndOfStream, right.CloseReason);
    }, s_halfOpen);

    [Fact]
    public void A_half_open_stream_closes_when_both_sides_have_ended_in_whichever_order() => RunPair(async (left, right) =>
    {
        Task leftClosed = WhenClosed(left), rightClosed = WhenClosed(right);
        await left.CompleteWritesAsync();
        await Turns(3);
        Assert.False(right.IsClosed);
        await right.CompleteWritesAsync();
        await rightClosed;
        await leftClosed;
    }, s_halfOpen);

    [Fact]
    public void A_half_open_stream_costs_no_turns_after_the_peers_end() => RunPair(async (left, right) =>
    {
        await left.CompleteWritesAsync();
        await AssertReads("", right.ReadUntilCloseAsync());
        TaskCompletionSource timer = new();
        long before = Loop.Counters.Turns;
        using IDisposable later = Loop.CallLater(TimeSpan.FromMilliseconds(50), timer.SetResult);
        await timer.Task;
        Assert.InRange(Loop.Counters.Turns - before, 0, 20);
    }, s_halfOpen);

    [Fact]
    public void A_reset_gives_the_data_in_front_of_it_or_an_error_and_never_hangs() => RunPair(async (left, right) =>
    {
        if (!Transport.HasResets) return;
        await left.WriteAsync("unread"u8);
        await right.WriteAsync("answer"u8);
        await right.PeekAsync(1);
        await left.WriteAsync("unread too"u8);
        await left.FlushAsync();
        Task closed = WhenClosed(left);
        Task told = WhenEndIsTold(left);
        right.Close(); // with unread data in the kernel, which resets the connection
        await told;
        try
        {
            await AssertReads("answer", left.ReadBytesAsync(6));
        }
        catch (StreamClosedException)
        {
        }

        await AssertFails<StreamClosedException>(left.ReadBytesAsync(1));
        await closed;
        Assert.Equal(CloseReason.Reset, left.CloseReason);
        Assert.NotNull(left.Error);
    });

    [Fact]
    public void A_reset_fails_a_read_until_close_with_the_error() => RunPair(async (left, right) =>
    {
        if (!Transport.HasResets) return;
        ValueTask<byte[]> read = left.ReadUntilCloseAsync();
        await left.WriteAsync("unread"u8);
        await right.PeekAsync(1);
        await left.WriteAsync("unread too"u8);
        await left.FlushAsync();
        right.Close();
        StreamClosedException error = await AssertFails<StreamClosedException>(read);
        Assert.Equal(CloseReason.Reset, error.Reason);
        Assert.Same(left.Error, error.InnerException);
        AssertLogIsQuiet();
    });

    private static async Task WriteInPieces(BaseIOStream stream, byte[] data, Random random)
    {
        for (int at = 0, count; at < data.Length; at += count)
        {
            count = Math.Min(random.Next(1, 16_384), data.Length - at);
            await stream.WriteAsync(data.AsMemory(at, count));
        }
    }

    private static async Task<byte[]> ReadInPieces(BaseIOStream stream, int length, Random random)
    {
        byte[] data = new byte[length];
        for (int at = 0; at < length;)
            at += await stream.ReadIntoAsync(data.AsMemory(at, Math.Min(random.Next(1, 16_384), length - at)), partial: random.Next(2) == 0);
        return data;
    }
}
