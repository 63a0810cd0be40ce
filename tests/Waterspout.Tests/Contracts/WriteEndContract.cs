using System.Net.Sockets;

namespace Waterspout.Tests;

/// <summary>How writing ends: completed, cut off by the peer, cancelled.</summary>
[Contract(Aspects.Sending)]
public sealed class WriteEndContract : StreamContract
{
    [Fact]
    public void Completing_the_writes_sends_everything_and_the_end_after_it() => RunPair(async (left, right) =>
    {
        byte[] data = Clog(left, out Task write);
        Task complete = left.CompleteWritesAsync().AsTask();
        await AssertFails<InvalidOperationException>(left.WriteAsync("late"u8));
        Assert.Throws<InvalidOperationException>(() => left.Write("late"u8));
        Assert.Throws<InvalidOperationException>(() => _ = left.GetMemory());
        AssertSame(data, await right.ReadUntilCloseAsync());
        await complete;
        await write;
        Assert.Equal(CloseReason.EndOfStream, right.CloseReason);
    });

    [Fact]
    public void Writing_to_a_closed_peer_closes_the_stream_without_a_warning() => RunPair(async (left, right) =>
    {
        // Unread data of the peer makes it a reset; on a pipe it is always one.
        await left.WriteAsync("unread"u8);
        await right.PeekAsync(1);
        await left.WriteAsync("unread"u8);
        await left.FlushAsync();
        Task closed = WhenClosed(left);
        right.Close();
        Exception? error = null;
        while (error is null)
        {
            error = await Record.ExceptionAsync(async () => await left.WriteAsync("more"u8));
            await Turn();
        }

        Assert.IsType<StreamClosedException>(error);
        await closed;
        Assert.True(left.IsClosed);
        Assert.NotEqual(CloseReason.Local, left.CloseReason);
        AssertLogIsQuiet();
        await AssertFails<StreamClosedException>(left.WriteAsync(ReadOnlySpan<byte>.Empty));
        await AssertFails<StreamClosedException>(left.FlushAsync());
    });

    [Fact]
    public void A_reset_fails_the_waiting_write_and_keeps_the_error() => RunPair(async (left, right) =>
    {
        Clog(left, out Task write);
        await right.ReadBytesAsync(1);
        right.Close();
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(() => write);
        Assert.Equal(CloseReason.Reset, error.Reason);
        Assert.NotNull(left.Error);
        Assert.Same(left.Error, error.InnerException);
        if (left is IOStream) Assert.IsType<SocketException>(left.Error);
        AssertLogIsQuiet();
    });

    [Fact]
    public void A_failed_write_that_nobody_awaits_is_not_an_unobserved_exception() => RunPair(async (left, right) =>
    {
        _ = left.WriteAsync((ReadOnlyMemory<byte>)new byte[Transport.MoreThanTheKernelTakes]);
        _ = left.FlushAsync();
        await right.ReadBytesAsync(1);
        Task closed = WhenClosed(left);
        right.Close();
        await closed;
    });

    [Fact]
    public void Data_unsent_for_the_write_timeout_closes_the_stream() => RunPair(async (left, right) =>
    {
        Clog(left, out Task write);
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(() => write);
        Assert.Equal(CloseReason.Timeout, error.Reason);
        Assert.IsType<TimeoutException>(error.InnerException);
        Assert.True(left.IsClosed);
        Assert.False(right.IsClosed);
    }, new IOStreamOptions { WriteTimeout = TimeSpan.FromMilliseconds(20) });

    [Fact]
    public void Thousands_of_flushes_can_fail() => RunPair(async (left, right) =>
    {
        ExpectUnsent();
        Clog(left, out Task write);
        Task<StreamClosedException>[] waits = [.. Enumerable.Range(0, 5000).Select(_ => Assert.ThrowsAsync<StreamClosedException>(() => left.FlushAsync().AsTask()))];
        left.Close(new IOException("cause"));
        await Assert.ThrowsAsync<StreamClosedException>(() => write);
        StreamClosedException[] errors = await Task.WhenAll(waits);
        // A shared exception would grow with each throw.
        Assert.Equal(errors.Length, errors.Distinct().Count());
        right.Close();
    });

    [Fact]
    public void A_hundred_thousand_flushes_can_be_cancelled() => RunPair(async (left, right) =>
    {
        // If each wait were searched for among the others, this would take longer than any test may.
        int count = Transport.Rounds(100_000);
        byte[] data = Clog(left, out Task write);
        CancellationTokenSource[] sources = [.. Enumerable.Range(0, count).Select(static _ => new CancellationTokenSource())];
        Task[] flushes = [.. sources.Select(source => left.FlushAsync(source.Token).AsTask())];
        Task last = left.FlushAsync().AsTask();
        foreach (CancellationTokenSource source in sources.AsEnumerable().Reverse()) source.Cancel();
        while (!flushes[0].IsCompleted) await Turn();
        Assert.All(flushes, static flush => Assert.True(flush.IsCanceled));
        Assert.False(last.IsCompleted);
        AssertSame(data, await right.ReadBytesAsync(data.Length));
        await last;
        await write;
    });
}
