namespace Waterspout.Tests;

/// <summary>Cancelled and timed-out operations: no byte is lost, and the stream stays usable.</summary>
public abstract class CancellationContract(Transport transport, PollerKind poller) : StreamContract(transport, poller)
{
    public static TheoryData<string> Reads => ["bytes", "array", "into", "large into", "delimiter", "regex", "close", "peek", "partial", "parse"];

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

    [Fact]
    public void Many_cancellations_race_with_arriving_data_and_no_byte_is_lost()
    {
        Random random = NewRandom();
        byte[] data = RandomBytes(random, 3_000_000);
        RunPair(async (left, right) =>
        {
            int rounds = Transport.Rounds(1000), at = 0, completed = 0, cancelled = 0;
            Task write = WriteSlowly(left, data, new Random(random.Next()), () => at);
            for (int i = 0; i < rounds && at < data.Length; i++)
            {
                using CancellationTokenSource cancellation = new();
                Task<byte[]> read = RandomReads.Start(right, data.AsMemory(at), random, cancellation.Token);
                if (random.Next(2) == 0) await Turns(random.Next(4));
                Task cancel = random.Next(2) == 0 ? Task.Run(cancellation.Cancel) : Task.CompletedTask;
                if (cancel.IsCompleted) cancellation.Cancel();
                try
                {
                    byte[] result = await read;
                    AssertSame(data.AsMemory(at, result.Length), result);
                    at += result.Length;
                    completed++;
                }
                catch (OperationCanceledException)
                {
                    cancelled++;
                }

                await cancel;
            }

            int rest = at;
            at = data.Length;
            AssertSame(data.AsMemory(rest), await right.ReadUntilCloseAsync());
            await write;
            Assert.True(completed > rounds / 20 && cancelled > rounds / 20, $"{completed} reads completed, {cancelled} were cancelled: that is no race.");
        });
    }

    [Fact]
    public void Many_time_limits_race_with_arriving_data_and_no_byte_is_lost()
    {
        Random random = NewRandom();
        byte[] data = RandomBytes(random, 200_000);
        RunPair(async (left, right) =>
        {
            int at = 0;
            Task write = WriteSlowly(left, data, new Random(random.Next()), () => at);
            while (at < data.Length)
            {
                try
                {
                    byte[] result = await RandomReads.Start(right, data.AsMemory(at), random);
                    AssertSame(data.AsMemory(at, result.Length), result);
                    at += result.Length;
                }
                catch (TimeoutException)
                {
                    // Most of them: the writer waits for the reader, who wants more than there is.
                }
            }

            await write;
        }, new IOStreamOptions { ReadTimeout = TimeSpan.FromMilliseconds(1) });
    }

    // Never far ahead of the reader, who otherwise would never have to wait. At the end the rest follows in one piece.
    private async Task WriteSlowly(BaseIOStream stream, byte[] data, Random random, Func<int> read)
    {
        for (int at = 0, count; at < data.Length; at += count)
        {
            count = Math.Min(read() == data.Length ? data.Length : random.Next(1, 1000), data.Length - at);
            await stream.WriteAsync(data.AsMemory(at, count));
            await Turn();
            while (at - read() > 2000) await Turn();
        }

        await stream.CloseAsync();
    }

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
            "partial" => await stream.ReadBytesAsync(100, partial: true, cancellationToken),
            _ => await stream.ReadBytesAsync(100, static data => data.ToArray(), cancellationToken),
        };
    }
}
