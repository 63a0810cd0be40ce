namespace Waterspout.Tests;

/// <summary>Closing: by the peer, on this side, in order, with errors; and when that is told.</summary>
public abstract class CloseContract(Transport transport, PollerKind poller) : StreamContract(transport, poller)
{
    [Fact]
    public void The_end_fails_a_read_that_the_buffer_cannot_satisfy_and_calls_back_once() => RunPair(async (left, right) =>
    {
        int calls = 0;
        right.SetCloseCallback(() => calls++);
        ValueTask<byte[]> read = right.ReadBytesAsync(10);
        await SendAlone(left, Bytes("short"));
        _ = left.CloseAsync();
        StreamClosedException error = await AssertFails<StreamClosedException>(read);
        Assert.Equal(CloseReason.EndOfStream, error.Reason);
        Assert.Null(right.Error);
        await Turns(5);
        Assert.Equal(1, calls);
        await AssertReads("short", right.ReadBytesAsync(5));
    });

    [Fact]
    public void The_end_is_told_to_a_stream_that_nobody_reads() => RunPair(async (left, right) =>
    {
        Task closed = WhenClosed(right);
        await Turn();
        Assert.False(right.IsClosed);
        _ = left.CloseAsync();
        await closed;
        Assert.True(right.IsClosed);
        Assert.True(right.Closed.IsCancellationRequested);
        Assert.Equal(CloseReason.EndOfStream, right.CloseReason);
    });

    [Fact]
    public void A_peer_that_closes_without_order_is_told_as_far_as_the_transport_can_tell() => RunPair(async (left, right) =>
    {
        Task closed = WhenClosed(right);
        ValueTask<byte[]> read = right.ReadBytesAsync(100);
        await SendAlone(left, Bytes("last words"));
        left.Close();
        StreamClosedException error = await AssertFails<StreamClosedException>(read);
        Assert.Equal(Transport.ReasonOfAbruptClose, error.Reason);
        await closed;
        Assert.Equal(Transport.ReasonOfAbruptClose, right.CloseReason);
        await AssertReads("last words", right.ReadBytesAsync(10));
    });

    [Fact]
    public void The_end_behind_unread_data_is_told_at_once_and_closes_when_that_is_read() => RunPair(async (left, right) =>
    {
        bool isCalled = false;
        right.SetCloseCallback(() => isCalled = true);
        Task told = WhenEndIsTold(right);
        await Buffer(left, right, "first second");
        _ = left.CloseAsync();
        await told;
        Assert.Equal(Transport.ReasonOfKnownEnd, right.CloseReason);
        await AssertReads("first ", right.ReadBytesAsync(6));
        await Turns(5);
        Assert.False(isCalled);
        Assert.False(right.IsClosed);
        await AssertReads("second", right.ReadBytesAsync(6));
        await Turns(5);
        Assert.True(isCalled);
        Assert.True(right.IsClosed);
        Assert.Equal(CloseReason.EndOfStream, right.CloseReason);
    });

    [Fact]
    public void Data_in_the_kernel_is_read_before_the_end_however_small_the_chunks() => RunPair(async (left, right) =>
    {
        bool isCalled = false;
        Task told = WhenEndIsTold(right);
        right.SetCloseCallback(() => isCalled = true);
        for (int i = 0; i < 20; i++) await left.WriteAsync(Bytes($"line {i}\n"));
        _ = left.CloseAsync();
        await told;
        for (int i = 0; i < 20; i++)
        {
            Assert.False(isCalled);
            await AssertReads($"line {i}\n", right.ReadUntilAsync("\n"u8));
        }

        await AssertReads("", right.ReadUntilCloseAsync());
        await Turn();
        Assert.True(isCalled);
    }, new IOStreamOptions { ReadChunkSize = 3 });

    [Fact]
    public void The_close_callback_comes_after_the_callbacks_for_data_that_had_arrived() => RunPair(async (left, right) =>
    {
        List<string> calls = [];
        TaskCompletionSource closed = new();
        right.SetCloseCallback(() => { calls.Add("close"); closed.SetResult(); });
        right.ReadUntil("\n"u8, data =>
        {
            calls.Add(Text(data));
            right.ReadBytes(4, rest => calls.Add(Text(rest)));
        });
        await left.WriteAsync("line\nrest"u8);
        _ = left.CloseAsync();
        await closed.Task;
        Assert.Equal(["line\n", "rest", "close"], calls);
    });

    [Fact]
    public void Closing_again_does_nothing_wherever_it_is_done() => RunPair(async (left, right) =>
    {
        int calls = 0;
        TaskCompletionSource closed = new();
        right.SetCloseCallback(() =>
        {
            calls++;
            right.Close();
            closed.SetResult();
        });
        ValueTask<byte[]> read = right.ReadBytesAsync(1);
        await left.WriteAsync("ab"u8);
        await AssertReads("a", read);
        right.Close(); // within the completion of a read
        right.Close(new IOException("late"));
        right.Dispose();
        await right.CloseAsync();
        await right.DisposeAsync();
        Assert.Equal(CloseReason.Local, right.CloseReason);
        Assert.Null(right.Error);
        await closed.Task;
        await Turns(3);
        Assert.Equal(1, calls);
    });

    [Fact]
    public void Closing_fails_pending_writes_with_the_given_error()
    {
        ExpectLog("closed: Error");
        RunPair(async (left, right) =>
        {
            IOException cause = new("cause");
            byte[] data = Clog(left, out Task write);
            Task small = left.WriteAsync(data.AsMemory(0, 10_000)).AsTask();
            Task flush = left.FlushAsync().AsTask();
            left.Close(cause);
            foreach (Task pending in (Task[])[write, small, flush])
                Assert.Same(cause, (await Assert.ThrowsAsync<StreamClosedException>(() => pending)).InnerException);
            Assert.False(left.IsWriting);
        });
    }

    [Fact]
    public void Closing_fails_a_pending_read_with_the_given_error()
    {
        ExpectLog("closed: Error");
        RunPair(async (left, right) =>
        {
            IOException cause = new("cause");
            ValueTask<byte[]> read = right.ReadBytesAsync(1);
            right.Close(cause);
            Assert.True(right.IsClosed);
            Assert.False(right.IsReading);
            Assert.Same(cause, (await AssertFails<StreamClosedException>(read)).InnerException);
            Assert.Same(cause, right.Error);
            Assert.Equal(CloseReason.Error, right.CloseReason);
            Assert.Same(cause, (await AssertFails<StreamClosedException>(right.ReadBytesAsync(1))).InnerException);
        });
    }

    [Fact]
    public void Every_operation_on_a_closed_stream_says_so() => RunPair(async (left, right) =>
    {
        right.Close();
        left.Close();
        await AssertFails<StreamClosedException>(right.ReadBytesAsync(1));
        await AssertFails<StreamClosedException>(right.ReadBytesAsync(1, partial: true));
        await AssertFails<StreamClosedException>(right.ReadIntoAsync(new byte[1]));
        await AssertFails<StreamClosedException>(right.ReadUntilAsync("\n"u8));
        await AssertFails<StreamClosedException>(right.ReadUntilRegexAsync("x"));
        await AssertFails<StreamClosedException>(right.ReadUntilCloseAsync());
        await AssertFails<StreamClosedException>(left.WriteAsync(ReadOnlySpan<byte>.Empty));
        await AssertFails<StreamClosedException>(left.WriteAsync((ReadOnlyMemory<byte>)new byte[10_000]));
        await AssertFails<StreamClosedException>(left.FlushAsync());
        await AssertFails<StreamClosedException>(left.CompleteWritesAsync());
        Assert.Throws<StreamClosedException>(() => left.Write("x"u8));
        Assert.Throws<StreamClosedException>(() => _ = left.GetMemory());
        Assert.Throws<StreamClosedException>(() => right.ReadBytes(1, _ => { }));
        left.SetNoDelay(true);
        await left.CloseAsync();
        Assert.True(left.Closed.IsCancellationRequested);
    });

    [Fact]
    public void A_read_until_close_fails_when_this_side_closes_and_keeps_the_data() => RunPair(async (left, right) =>
    {
        ValueTask<byte[]> read = right.ReadUntilCloseAsync();
        await SendAlone(left, Bytes("kept"));
        right.Close();
        Assert.Equal(CloseReason.Local, (await AssertFails<StreamClosedException>(read)).Reason);
        await AssertReads("kept", right.ReadBytesAsync(4));
    });

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

    [Fact]
    public void A_close_callback_set_after_the_close_runs_all_the_same() => RunPair(async (left, right) =>
    {
        right.Close();
        bool isCalled = false;
        right.SetCloseCallback(() => isCalled = true);
        Assert.False(isCalled);
        await Turn();
        Assert.True(isCalled);
    });

    [Fact]
    public void A_close_callback_that_throws_is_logged_and_hurts_nobody()
    {
        ExpectLog("A callback of");
        RunPair(async (left, right) =>
        {
            right.SetCloseCallback(() => throw new FormatException("thrown by a test"));
            right.Close();
            await Turns(2);
            Assert.Equal(CloseReason.Local, right.CloseReason);
        });
    }

    [Fact]
    public void Disposing_the_loop_closes_its_streams()
    {
        Task<byte[]>? read = null;
        BaseIOStream? stream = null;
        RunPair((left, right) =>
        {
            stream = right;
            read = right.ReadBytesAsync(1).AsTask();
            return Task.CompletedTask;
        });
        Assert.True(stream!.IsClosed);
        Assert.IsType<StreamClosedException>(read!.Exception!.InnerException);
    }
}
