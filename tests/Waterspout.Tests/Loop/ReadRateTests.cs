namespace Waterspout.Tests;

/// <summary>The rate at which a peer must send while a read waits.</summary>
[OnEachPoller]
public sealed class ReadRateTests : ManualLoopTest
{
    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);
    private static readonly IOStreamOptions s_options = new() { MinimumReadRate = new MinimumRate(100, 5 * s_second) };

    [Fact]
    public void A_silent_peer_has_the_grace_period_and_no_byte_is_lost() => RunPair(async (stream, peer) =>
    {
        Task<byte[]> read = stream.ReadUntilAsync("\n"u8).AsTask();
        await Advance(4.999 * s_second);
        Assert.False(read.IsCompleted);
        await Advance(0.001 * s_second);
        TimeoutException error = await Assert.ThrowsAsync<TimeoutException>(() => read);
        Assert.Contains("100 bytes a second", error.Message, StringComparison.Ordinal);
        Assert.False(stream.IsClosed);
        await peer.WriteAsync("line\n"u8);
        Assert.Equal("line", await stream.ReadLineAsync());
    });

    [Theory]
    [InlineData("one read")]
    [InlineData("a read for each byte")]
    [InlineData("a stream of pieces")]
    public void A_trickle_is_stopped_however_it_is_read(string how) => RunPair(async (stream, peer) =>
    {
        int arrived = 0;
        Task read = ReadAsync();
        // Each byte earns a hundredth of the second that it takes.
        for (int i = 0; i < 5; i++)
        {
            Assert.False(read.IsCompleted);
            await Advance(s_second);
            await Send(peer, 1);
        }

        Assert.False(read.IsCompleted);
        await Advance(s_second);
        await Assert.ThrowsAsync<TimeoutException>(() => read);
        Assert.Equal(5, arrived + stream.UnreadBytes);

        async Task ReadAsync()
        {
            if (how == "one read") await stream.ReadUntilAsync("\n"u8);
            if (how == "a stream of pieces") await foreach (ReadOnlyMemory<byte> piece in stream.ReadChunksAsync()) arrived += piece.Length;
            while (true) arrived += (await stream.ReadBytesAsync(1)).Length;
        }
    });

    [Fact]
    public void A_peer_that_keeps_the_rate_may_take_any_time() => RunPair(async (stream, peer) =>
    {
        Task<byte[]> read = stream.ReadBytesAsync(100 * 100).AsTask();
        for (int i = 0; i < 25; i++)
        {
            Assert.False(read.IsCompleted);
            await Advance(4 * s_second);
            await Send(peer, 400);
        }

        Assert.Equal(100 * 100, (await read).Length);
    });

    [Fact]
    public void What_was_sent_faster_is_not_saved_up() => RunPair(async (stream, peer) =>
    {
        Task<byte[]> read = stream.ReadBytesAsync(100_001).AsTask();
        await Send(peer, 100_000);
        await Advance(4.9 * s_second);
        Assert.False(read.IsCompleted);
        await Advance(0.1 * s_second);
        await Assert.ThrowsAsync<TimeoutException>(() => read);
        Assert.Equal(100_000, stream.UnreadBytes);
    });

    [Fact]
    public void A_rate_of_almost_nothing_is_kept_by_a_single_byte() => RunPair(async (stream, peer) =>
    {
        for (int i = 0; i < 3; i++)
        {
            Task<byte[]> read = stream.ReadBytesAsync(2).AsTask();
            await Advance(4 * s_second);
            await Send(peer, 1);
            await Advance(4 * s_second);
            Assert.False(read.IsCompleted);
            await Send(peer, 1);
            await read;
        }
    }, new IOStreamOptions { MinimumReadRate = new MinimumRate(1e-300, 5 * s_second) });

    [Fact]
    public void Time_without_a_waiting_read_does_not_count() => RunPair(async (stream, peer) =>
    {
        for (int i = 0; i < 10; i++)
        {
            await Advance(TimeSpan.FromHours(1));
            Task<byte[]> read = stream.ReadBytesAsync(50).AsTask();
            await Advance(0.5 * s_second);
            await Send(peer, 50);
            await read;
        }
    });

    [Fact]
    public void A_read_after_one_that_has_failed_is_measured_anew() => RunPair(async (stream, peer) =>
    {
        Task<byte[]> first = stream.ReadBytesAsync(1).AsTask();
        await Advance(5 * s_second);
        await Assert.ThrowsAsync<TimeoutException>(() => first);
        Task<byte[]> second = stream.ReadBytesAsync(1).AsTask();
        await Advance(4.9 * s_second);
        Assert.False(second.IsCompleted);
        await peer.WriteAsync("x"u8);
        await second;
    });

    [Fact]
    public void A_read_with_a_time_limit_of_its_own_is_not_measured() => RunPair(async (stream, peer) =>
    {
        Task idle = stream.PeekAsync(1, timeout: TimeSpan.FromHours(1)).AsTask();
        await Advance(TimeSpan.FromMinutes(59));
        Assert.False(idle.IsCompleted);
        await peer.WriteAsync("x"u8);
        await idle;
        Task<byte[]> line = stream.ReadUntilAsync("\n"u8).AsTask();
        await Advance(5 * s_second);
        await Assert.ThrowsAsync<TimeoutException>(() => line);
    });

    [Fact]
    public void The_sooner_of_rate_and_time_limit_ends_the_read() => RunPair(async (stream, peer) =>
    {
        Task<byte[]> read = stream.ReadUntilAsync("\n"u8).AsTask();
        for (int i = 0; i < 3; i++)
        {
            await Advance(4 * s_second);
            await Send(peer, 1000);
        }

        Assert.False(read.IsCompleted);
        await Advance(s_second);
        TimeoutException error = await Assert.ThrowsAsync<TimeoutException>(() => read);
        Assert.Contains("00:00:13", error.Message, StringComparison.Ordinal);
    }, s_options with { ReadTimeout = 13 * s_second });

    [Fact]
    public void A_callback_form_closes_the_stream() => RunPair(async (stream, _) =>
    {
        stream.ReadUntil("\n"u8, static _ => Assert.Fail("There is no line."));
        await Advance(5 * s_second);
        Assert.Equal(CloseReason.Timeout, stream.CloseReason);
        Assert.IsType<TimeoutException>(stream.Error);
    });

    [Fact]
    public void A_rate_is_positive_and_so_is_its_grace_period()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new MinimumRate(0, s_second));
        Assert.Throws<ArgumentOutOfRangeException>(() => new MinimumRate(-1, s_second));
        Assert.Throws<ArgumentOutOfRangeException>(() => new MinimumRate(double.NaN, s_second));
        Assert.Throws<ArgumentOutOfRangeException>(() => new MinimumRate(double.PositiveInfinity, s_second));
        Assert.Throws<ArgumentOutOfRangeException>(() => new MinimumRate(1, TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => new MinimumRate(1, Timeout.InfiniteTimeSpan));
    }

    private void RunPair(Func<IOStream, IOStream, Task> body, IOStreamOptions? options = null) => RunManually(async () =>
    {
        (IOStream stream, IOStream peer) = IOStream.CreatePair(options ?? s_options);
        await body(stream, peer);
    });

    /// <summary>Sends bytes, and waits until they have been received and the next read has begun.</summary>
    private async Task Send(IOStream peer, int count)
    {
        long target = Loop.Counters.BytesIn + count;
        await peer.WriteAsync(new byte[count].AsMemory());
        while (Loop.Counters.BytesIn < target) await NextTurn();
        // The await of an enumeration resumes by the loop's queue.
        await NextTurn();
        await NextTurn();
    }
}
