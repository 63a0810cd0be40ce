namespace Waterspout.Tests;

/// <summary>Cancelled and timed-out operations: no byte is lost, and the stream stays usable.</summary>
[Contract(Aspects.Use)]
public sealed class CancellationContract : StreamContract
{
    private static readonly Func<BaseIOStream, TimeSpan, Task>[] s_timedReads =
    [
        static (stream, timeout) => stream.ReadBytesAsync(10, timeout: timeout).AsTask(),
        static (stream, timeout) => stream.ReadBytesAsync(10, static data => data.Length, timeout: timeout).AsTask(),
        static (stream, timeout) => stream.ReadBytesAsync(10, 0, static (data, _) => data.Length, timeout: timeout).AsTask(),
        static (stream, timeout) => stream.ReadBytesAsync(100_000, timeout: timeout).AsTask(),
        static (stream, timeout) => stream.ReadIntoAsync(new byte[100_000], timeout: timeout).AsTask(),
        static (stream, timeout) => stream.ReadUntilAsync("\n"u8, timeout: timeout).AsTask(),
        static (stream, timeout) => stream.ReadUntilAsync("\n"u8, static data => data.Length, timeout: timeout).AsTask(),
        static (stream, timeout) => stream.ReadUntilAsync("\n"u8, 0, static (data, _) => data.Length, timeout: timeout).AsTask(),
        static (stream, timeout) => stream.ReadUntilRegexAsync("\\n", timeout: timeout).AsTask(),
        static (stream, timeout) => stream.ReadUntilAnyAsync([new byte[1]], timeout: timeout).AsTask(),
        static (stream, timeout) => stream.ReadUntilCloseAsync(timeout: timeout).AsTask(),
        static (stream, timeout) => stream.PeekAsync(10, timeout: timeout).AsTask(),
        static (stream, timeout) => stream.ReadLineAsync(timeout: timeout).AsTask(),
        static (stream, timeout) => stream.ReadFrameAsync(new FrameLength(1), timeout: timeout).AsTask(),
        static (stream, timeout) => stream.ReadMessageAsync<int>(NeedMore, timeout: timeout).AsTask(),
        static (stream, timeout) => stream.ReadMessagesAsync<int>(NeedMore, static _ => true, timeout: timeout).AsTask(),
        static (stream, timeout) => stream.SplitAsync("\n"u8, static _ => true, timeout: timeout).AsTask(),
        static (stream, timeout) => stream.SplitAsync("\n"u8, timeout: timeout).GetAsyncEnumerator().MoveNextAsync().AsTask(),
    ];

    public static TheoryData<string> Reads => ["bytes", "array", "into", "large into", "delimiter", "regex", "close", "peek", "partial", "parse", "message", "messages", "frame", "any", "line", "state"];

    [Theory]
    [MemberData(nameof(Reads))]
    public void A_cancelled_read_leaves_every_byte(string kind) => RunPair(async (left, right) =>
    {
        using CancellationTokenSource cancellation = new();
        string data = kind == "partial" ? "" : "these bytes had arrived ";
        Task read = Read(right, kind, cancellation.Token);
        if (data.Length > 0) await SendAlone(left, Bytes(data));
        Assert.False(read.IsCompleted);
        cancellation.Cancel();
        OperationCanceledException error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        Assert.Equal(cancellation.Token, error.CancellationToken);
        Assert.False(right.IsReading);
        Assert.False(right.IsClosed);
        await left.WriteAsync("and more\n"u8);
        await AssertReads(data + "and more\n", right.ReadUntilAsync("\n"u8));
    });

    [Theory]
    [MemberData(nameof(Reads))]
    public void A_read_with_a_cancelled_token_does_not_begin(string kind) => RunPair(async (left, right) =>
    {
        await Buffer(left, right, "here");
        Task read = Read(right, kind, new CancellationToken(canceled: true));
        Assert.True(read.IsCanceled);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        await AssertReads("here", right.ReadBytesAsync(4));
    });

    [Fact]
    public void Cancelling_after_the_completion_does_nothing_to_the_next_read() => RunPair(async (left, right) =>
    {
        using CancellationTokenSource cancellation = new();
        ValueTask<byte[]> read = right.ReadBytesAsync(1, cancellationToken: cancellation.Token);
        await left.WriteAsync("a"u8);
        await AssertReads("a", read);
        ValueTask<byte[]> next = right.ReadBytesAsync(1);
        cancellation.Cancel();
        await Turns(3);
        Assert.False(next.IsCompleted);
        await left.WriteAsync("b"u8);
        await AssertReads("b", next);
    });

    [Fact]
    public void A_read_can_be_cancelled_from_another_thread() => RunPair(async (left, right) =>
    {
        for (int i = 0; i < 100; i++)
        {
            using CancellationTokenSource cancellation = new();
            ValueTask<byte[]> read = right.ReadBytesAsync(1, cancellationToken: cancellation.Token);
            Task cancel = Task.Run(cancellation.Cancel);
            Assert.Equal(cancellation.Token, (await Assert.ThrowsAnyAsync<OperationCanceledException>(read.AsTask)).CancellationToken);
            Assert.True(Loop.IsCurrent);
            await cancel;
        }

        await left.WriteAsync("x"u8);
        await AssertReads("x", right.ReadBytesAsync(1));
    });

    [Fact]
    public void Sequences_stop_at_a_cancellation_and_leave_what_was_not_yielded() => RunPair(async (left, right) =>
    {
        using CancellationTokenSource cancellation = new();
        await Buffer(left, right, "a,b,");
        List<string> pieces = [];
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (byte[] piece in right.SplitAsync(Bytes(","), cancellationToken: cancellation.Token))
            {
                pieces.Add(Text(piece));
                cancellation.Cancel();
            }
        });
        Assert.Equal(["a"], pieces);
        await AssertReads("b,", right.ReadBytesAsync(2));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (ReadOnlyMemory<byte> _ in right.ReadChunksAsync().WithCancellation(cancellation.Token)) Assert.Fail("Cancelled before.");
        });
        await left.WriteAsync("c"u8);
        await AssertReads("c", right.ReadBytesAsync(1));
    });

    [Fact]
    public void A_timed_out_read_leaves_every_byte() => RunPair(async (left, right) =>
    {
        await left.WriteAsync("12345"u8);
        await AssertFails<TimeoutException>(right.ReadBytesAsync(10));
        await AssertFails<TimeoutException>(right.ReadIntoAsync(new byte[100_000]));
        await AssertFails<TimeoutException>(right.ReadUntilAsync("\n"u8));
        Assert.False(right.IsReading);
        Assert.False(right.IsClosed);
        await AssertReads("12345", right.ReadBytesAsync(5));
    }, new IOStreamOptions { ReadTimeout = TimeSpan.FromMilliseconds(20) });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_read_that_has_a_time_limit_of_its_own_leaves_every_byte(bool isOffLoop) => RunPair(async (left, right) =>
    {
        await Buffer(left, right, "12345");
        foreach (Func<BaseIOStream, TimeSpan, Task> read in s_timedReads)
        {
            Task timed = isOffLoop ? Task.Run(() => read(right, TimeSpan.FromMilliseconds(1))) : read(right, TimeSpan.FromMilliseconds(1));
            await Assert.ThrowsAsync<TimeoutException>(() => timed);
            Assert.False(right.IsReading);
            Assert.Throws<ArgumentOutOfRangeException>(() => { _ = read(right, TimeSpan.FromTicks(-1)); });
        }

        await AssertReads("123", right.ReadBytesAsync(3, timeout: TimeSpan.Zero));
        await AssertReads("45", right.ReadBytesAsync(3, partial: true, timeout: TimeSpan.Zero));
        Assert.False(right.IsClosed);
    });

    [Fact]
    public void A_write_with_a_cancelled_token_sends_nothing() => RunPair(async (left, right) =>
    {
        CancellationToken cancelled = new(canceled: true);
        await AssertFails<OperationCanceledException>(left.WriteAsync("no"u8, cancelled));
        await AssertFails<OperationCanceledException>(left.WriteAsync((ReadOnlyMemory<byte>)new byte[10_000], cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await left.FlushAsync(cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await left.CompleteWritesAsync(cancelled));
        await left.WriteAsync("yes"u8);
        await AssertReads("yes", right.ReadBytesAsync(10, partial: true));
    });

    [Fact]
    public void Cancelling_a_write_that_has_begun_closes_the_stream() => RunPair(async (left, right) =>
    {
        ExpectUnsent();
        using CancellationTokenSource cancellation = new();
        Clog(left, out Task first);
        Task second = left.WriteAsync((ReadOnlyMemory<byte>)new byte[10_000], cancellation.Token).AsTask();
        cancellation.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await Assert.ThrowsAsync<StreamClosedException>(() => first);
        Assert.True(left.IsClosed);
        Assert.IsType<OperationCanceledException>(left.Error, exactMatch: false);
        Assert.False(right.IsClosed);
    });

    [Fact]
    public void Cancelling_a_flush_ends_the_wait_and_nothing_else() => RunPair(async (left, right) =>
    {
        using CancellationTokenSource cancellation = new();
        byte[] data = Clog(left, out Task write);
        Task flush = left.FlushAsync(cancellation.Token).AsTask();
        cancellation.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => flush);
        byte[] target = new byte[data.Length];
        await right.ReadIntoAsync(target);
        AssertSame(data, target);
        await write;
        Assert.False(left.IsClosed);
    });

    private static async Task Read(BaseIOStream stream, string kind, CancellationToken cancellationToken)
    {
        _ = kind switch
        {
            "bytes" => await stream.ReadBytesAsync(100, cancellationToken: cancellationToken),
            "array" => await stream.ReadBytesAsync(100_000, cancellationToken: cancellationToken),
            "into" => [(byte)await stream.ReadIntoAsync(new byte[100], cancellationToken: cancellationToken)],
            "large into" => [(byte)await stream.ReadIntoAsync(new byte[100_000], cancellationToken: cancellationToken)],
            "delimiter" => await stream.ReadUntilAsync("\n"u8, cancellationToken: cancellationToken),
            "regex" => await stream.ReadUntilRegexAsync("\\n", cancellationToken: cancellationToken),
            "close" => await stream.ReadUntilCloseAsync(cancellationToken),
            "peek" => (await stream.PeekAsync(100, cancellationToken)).ToArray(),
            "message" => await stream.ReadMessageAsync<byte[]>(NeedMore, cancellationToken: cancellationToken),
            "messages" => [await stream.ReadMessagesAsync<byte[]>(NeedMore, static _ => true, cancellationToken: cancellationToken) ? (byte)1 : (byte)0],
            "frame" => await stream.ReadFrameAsync(new FrameLength(1), cancellationToken: cancellationToken),
            "any" => (await stream.ReadUntilAnyAsync([new byte[] { (byte)'\n' }, new byte[] { 0 }], cancellationToken: cancellationToken)).Data,
            "line" => [(byte)(await stream.ReadLineAsync(cancellationToken: cancellationToken))!.Length],
            "state" => await stream.ReadBytesAsync(100, 1, static (data, _) => data.ToArray(), cancellationToken),
            "partial" => await stream.ReadBytesAsync(100, partial: true, cancellationToken),
            _ => await stream.ReadBytesAsync(100, static data => data.ToArray(), cancellationToken),
        };
    }

    private static bool NeedMore(ReadOnlySpan<byte> data, out int consumed, out byte[] message, out int needed)
    {
        (consumed, message, needed) = (0, [], 0);
        return false;
    }

    private static bool NeedMore(ReadOnlySpan<byte> data, out int consumed, out int message, out int needed)
    {
        (consumed, message, needed) = (0, 0, 0);
        return false;
    }
}
