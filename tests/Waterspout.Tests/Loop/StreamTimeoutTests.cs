using System.Text;
using Microsoft.Extensions.Logging;
using Waterspout.Testing;

namespace Waterspout.Tests;

[OnEachPoller]
public sealed class StreamTimeoutTests : ManualLoopTest
{
    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);
    private static readonly IOStreamOptions s_reading = new() { ReadTimeout = s_second };
    private static readonly IOStreamOptions s_writing = new() { WriteTimeout = s_second };

    [Fact]
    public void A_read_that_takes_too_long_fails_and_loses_no_byte() => RunManually(async () =>
    {
        (IOStream stream, IOStream peer) = IOStream.CreatePair(s_reading);
        await peer.WriteAsync("begun"u8);
        await peer.FlushAsync();
        Task<byte[]> read = stream.ReadUntilAsync("\n"u8).AsTask();
        await Advance(0.999 * s_second);
        Assert.False(read.IsCompleted);
        await Advance(0.001 * s_second);
        await Assert.ThrowsAsync<TimeoutException>(() => read);
        Assert.False(stream.IsClosed);
        Assert.False(stream.IsReading);
        await peer.WriteAsync(" and ended\n"u8);
        Assert.Equal("begun and ended\n", Encoding.ASCII.GetString(await stream.ReadUntilAsync("\n"u8)));
    });

    [Fact]
    public void A_read_into_the_callers_memory_that_takes_too_long_loses_no_byte() => RunManually(async () =>
    {
        (IOStream stream, IOStream peer) = IOStream.CreatePair(s_reading);
        byte[] sent = new byte[20_000];
        new Random(1).NextBytes(sent);
        await peer.WriteAsync(sent.AsMemory(0, 9_000));
        await peer.FlushAsync();
        Task<int> read = stream.ReadIntoAsync(new byte[20_000]).AsTask();
        await Advance(s_second);
        await Assert.ThrowsAsync<TimeoutException>(() => read);
        await peer.WriteAsync(sent.AsMemory(9_000));
        Assert.Equal(sent, await stream.ReadBytesAsync(20_000));
    });

    [Fact]
    public void The_time_limit_of_a_read_begins_with_the_read() => RunManually(async () =>
    {
        (IOStream stream, IOStream peer) = IOStream.CreatePair(s_reading);
        for (int i = 0; i < 5; i++)
        {
            Task<byte[]> read = stream.ReadBytesAsync(1).AsTask();
            await Advance(0.7 * s_second);
            await peer.WriteAsync("x"u8);
            await read;
        }

        Task<byte[]> last = stream.ReadBytesAsync(1).AsTask();
        await Advance(0.7 * s_second);
        Assert.False(last.IsCompleted);
        await Advance(0.3 * s_second);
        await Assert.ThrowsAsync<TimeoutException>(() => last);
    });

    [Fact]
    public void A_read_may_have_a_time_limit_of_its_own_shorter_or_longer_than_the_streams() => RunManually(async () =>
    {
        (IOStream stream, IOStream peer) = IOStream.CreatePair(s_reading);
        await AssertTakes(10 * s_second, stream.ReadBytesAsync(1, timeout: 10 * s_second));
        await AssertTakes(0.1 * s_second, stream.ReadBytesAsync(1, timeout: 0.1 * s_second));
        await AssertTakes(s_second, stream.ReadBytesAsync(1));
        await AssertTakes(TimeSpan.Zero, stream.ReadBytesAsync(1, timeout: TimeSpan.Zero));
        Task<byte[]> read = stream.ReadBytesAsync(1, timeout: Timeout.InfiniteTimeSpan).AsTask();
        await Advance(TimeSpan.FromHours(1));
        await peer.WriteAsync("x"u8);
        Assert.Equal("x", Encoding.ASCII.GetString(await read));
    });

    [Fact]
    public void A_shorter_time_limit_holds_after_a_longer_one_whose_read_has_completed() => RunManually(async () =>
    {
        (IOStream stream, IOStream peer) = IOStream.CreatePair();
        Task<byte[]> first = stream.ReadBytesAsync(1, timeout: TimeSpan.FromHours(1)).AsTask();
        await NextTurn();
        await peer.WriteAsync("x"u8);
        await first;
        await AssertTakes(s_second, stream.ReadBytesAsync(1, timeout: s_second));
        Assert.Equal(0, Loop.TimerCount);
    });

    [Fact]
    public void An_idle_stream_does_not_time_out() => RunManually(async () =>
    {
        (IOStream stream, IOStream peer) = IOStream.CreatePair(s_reading);
        await peer.WriteAsync("x"u8);
        await stream.ReadBytesAsync(1);
        await Advance(TimeSpan.FromHours(1));
        Assert.False(stream.IsClosed);
    });

    [Fact]
    public void A_peer_that_takes_no_data_for_too_long_closes_the_stream() => RunManually(async () =>
    {
        (IOStream stream, IOStream _) = IOStream.CreatePair(s_writing);
        Task write = stream.WriteAsync(new byte[4 * 1024 * 1024]).AsTask();
        await Advance(0.999 * s_second);
        Assert.False(write.IsCompleted);
        await Advance(0.001 * s_second);
        StreamClosedException closed = await Assert.ThrowsAsync<StreamClosedException>(() => write);
        Assert.IsType<TimeoutException>(closed.InnerException);
        Assert.Equal(CloseReason.Timeout, stream.CloseReason);
        Assert.Contains(Log.Lines, static line => line.Level == LogLevel.Debug && line.Message.EndsWith("bytes were written and not sent."));
        Assert.IsType<TimeoutException>(stream.Error);
    });

    [Fact]
    public void A_peer_that_takes_data_slowly_does_not_close_the_stream() => RunManually(async () =>
    {
        (IOStream stream, IOStream peer) = IOStream.CreatePair(s_writing);
        const int Total = 4 * 1024 * 1024;
        Task write = stream.WriteAsync(new byte[Total]).AsTask();
        for (int read = 0; read < Total; read += 256 * 1024)
        {
            await Advance(0.7 * s_second);
            await peer.ReadBytesAsync(256 * 1024);
            await NextTurn();
        }

        await write;
        await Advance(TimeSpan.FromHours(1));
        Assert.False(stream.IsClosed);
    });

    [Fact]
    public void A_graceful_close_ends_when_its_time_is_up() => RunManually(async () =>
    {
        (IOStream stream, IOStream _) = IOStream.CreatePair();
        await stream.WriteAsync("x"u8);
        Task close = stream.CloseAsync(s_second).AsTask();
        await Advance(0.999 * s_second);
        Assert.False(close.IsCompleted);
        await Advance(0.001 * s_second);
        await close;
        Assert.True(stream.IsClosed);
        Assert.Equal(CloseReason.Local, stream.CloseReason);
    });

    [Fact]
    public void An_orderly_close_that_could_not_send_everything_reports_it() => RunManually(async () =>
    {
        (IOStream stream, IOStream _) = IOStream.CreatePair();
        stream.Write(new byte[4 * 1024 * 1024]);
        Task close = stream.CloseAsync(s_second).AsTask();
        await Advance(s_second);
        await close;
        Assert.Equal(CloseReason.Timeout, stream.CloseReason);
        Assert.Contains(Log.Lines, static line => line.Level == LogLevel.Debug && line.Message.EndsWith("bytes were written and not sent."));
        Assert.IsType<TimeoutException>(stream.Error);
    });

    [Fact]
    public void A_graceful_close_takes_ten_seconds_by_default() => RunManually(async () =>
    {
        (IOStream stream, IOStream _) = IOStream.CreatePair();
        Task close = stream.CloseAsync().AsTask();
        await Advance(9.999 * s_second);
        Assert.False(close.IsCompleted);
        await Advance(0.001 * s_second);
        await close;
    });

    private async Task AssertTakes(TimeSpan time, ValueTask<byte[]> pending)
    {
        Task<byte[]> read = pending.AsTask();
        if (time > TimeSpan.Zero)
        {
            await Advance(0.99 * time);
            Assert.False(read.IsCompleted);
        }

        await Advance(0.01 * time);
        TimeoutException error = await Assert.ThrowsAsync<TimeoutException>(() => read);
        Assert.Contains($"{time}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Timers_of_time_limits_are_given_back_with_the_stream() => RunManually(async () =>
    {
        ExpectLog("bytes were written and not sent");
        (IOStream stream, IOStream peer) = StreamPair.CreateSocketPair(s_reading with { WriteTimeout = s_second });
        Task<byte[]> read = stream.ReadBytesAsync(1).AsTask();
        stream.Write(new byte[4 * 1024 * 1024]);
        stream.Write(new byte[1], () => { });
        await NextTurn();
        stream.Close();
        peer.Close();
        await Assert.ThrowsAsync<StreamClosedException>(() => read);
        Assert.Equal(0, Loop.TimerCount);
    });
}
