namespace Waterspout.Tests;

/// <summary>What threads other than the loop's do without the loop: reads of what is buffered, and small writes.</summary>
[Contract(Aspects.Use)]
public sealed class OffLoopContract : StreamContract
{
    private static readonly FrameLength s_byte = new(1);

    [Fact]
    public void What_is_buffered_is_read_while_the_loop_is_blocked() => RunPair((left, right) => Task.Run(async () =>
    {
        await left.WriteAsync("line\nuntil;bytes\u0003abcpeek"u8);
        await right.PeekAsync(24);
        using (BlockLoop())
        {
            Assert.Equal("line", Now(right.ReadLineAsync()));
            Assert.Equal("until;", Text(Now(right.ReadUntilAsync(";"u8))));
            Assert.Equal("by", Text(Now(right.ReadBytesAsync(2))));
            Assert.Equal("tes", Now(right.ReadBytesAsync(3, data => Text(data))));
            Assert.Equal("abc", Text(Now(right.ReadFrameAsync(s_byte))));
            Assert.Equal("pe", Text(Now(right.PeekAsync(2)).Span));
            byte[] target = new byte[8];
            Assert.Equal(4, Now(right.ReadIntoAsync(target, partial: true)));
            Assert.Equal("peek", Text(target.AsSpan(0, 4)));
        }

        ValueTask<byte[]> next = right.ReadBytesAsync(4);
        await left.WriteAsync("next"u8);
        await AssertReads("next", next);
    }));

    [Fact]
    public void What_a_read_on_the_loop_uses_is_not_read_elsewhere() => RunPair((left, right) => Task.Run(async () =>
    {
        Log.Allow("blocked");
        await left.WriteAsync("one\ntwo\n"u8);
        await right.PeekAsync(8);
        using ManualResetEventSlim begun = new(), release = new();
        Task<string> here = Loop.InvokeAsync(() => right.ReadUntilAsync("\n"u8, line =>
        {
            begun.Set();
            release.Wait();
            return Text(line);
        }).AsTask());
        begun.Wait();
        ValueTask<byte[]> elsewhere = right.ReadUntilAsync("\n"u8);
        bool isCompleted = elsewhere.IsCompleted;
        release.Set();
        Assert.False(isCompleted);
        Assert.Equal("one\n", await here);
        await AssertReads("two\n", elsewhere);
    }));

    [Fact]
    public void A_read_that_needs_more_than_is_buffered_loses_nothing() => RunPair((left, right) => Task.Run(async () =>
    {
        byte[] target = new byte[6];
        for (int round = 0; round < 20; round++)
        {
            await left.WriteAsync("0abcdefghi\n"u8);
            await right.PeekAsync(11);
            await AssertReads("0", right.ReadBytesAsync(1));
            await AssertReads("abcdefghi\n", right.ReadUntilAsync("\n"u8));
            await left.WriteAsync("123"u8);
            await right.PeekAsync(3);
            ValueTask<int> read = right.ReadIntoAsync(target);
            await left.WriteAsync("456"u8);
            Assert.Equal(6, await read);
            Assert.Equal("123456", Text(target));
        }
    }));

    [Fact]
    public void A_parser_that_fails_fails_its_read_only() => RunPair((left, right) => Task.Run(async () =>
    {
        await left.WriteAsync("one\ntwo\n"u8);
        await right.PeekAsync(8);
        await Assert.ThrowsAsync<FormatException>(() => right.ReadUntilAsync<int>("\n"u8, _ => throw new FormatException()).AsTask());
        await AssertReads("two\n", right.ReadUntilAsync("\n"u8));
    }));

    [Fact]
    public void A_limit_that_is_exceeded_consumes_nothing() => RunPair((left, right) => Task.Run(async () =>
    {
        await left.WriteAsync("0123456789\n"u8);
        await right.PeekAsync(11);
        await Assert.ThrowsAsync<UnsatisfiableReadException>(() => right.ReadUntilAsync("\n"u8, maxBytes: 5).AsTask());
        await AssertReads("0123456789\n", right.ReadUntilAsync("\n"u8));
    }));

    [Fact]
    public void Readers_on_and_off_the_loop_share_every_message() => RunPair(async (left, right) =>
    {
        int count = Transport.Rounds(20_000);
        Task<List<int>> elsewhere = Task.Run(() => ReadNumbersAsync(right));
        Task<List<int>> here = ReadNumbersAsync(right);
        for (int i = 0; i < count; i++)
        {
            await left.WriteAsync(BitConverter.GetBytes(i));
            if (i % 100 == 0) await left.FlushAsync();
        }

        await left.CompleteWritesAsync();
        List<int> first = await here, second = await elsewhere;
        Assert.Equal(first.Order(), first);
        Assert.Equal(second.Order(), second);
        Assert.Equal(Enumerable.Range(0, count), first.Concat(second).Order());
    });

    [Fact]
    public void Small_writes_complete_while_the_loop_is_blocked() => RunPair((left, right) => Task.Run(async () =>
    {
        await left.WriteAsync("-"u8);
        await right.ReadBytesAsync(1);
        ValueTask large;
        using (BlockLoop())
        {
            for (int i = 0; i < 100; i++) Assert.True(left.WriteAsync("0123456789"u8).IsCompletedSuccessfully);
            Assert.True(left.IsWriting);
            large = left.WriteAsync(new byte[100_000].AsMemory());
            Assert.False(large.IsCompleted);
            // In its place behind the large one, so it has to wait too.
            Assert.False(left.WriteAsync("end"u8).IsCompleted);
        }

        Assert.Equal(string.Concat(Enumerable.Repeat("0123456789", 100)), Text(await right.ReadBytesAsync(1000)));
        Assert.Equal(new byte[100_000], await right.ReadBytesAsync(100_000));
        await AssertReads("end", right.ReadBytesAsync(3));
        await large;
    }));

    [Fact]
    public void A_write_of_nothing_holds_up_nothing() => RunPair((left, right) => Task.Run(async () =>
    {
        for (int i = 0; i < 10; i++)
        {
            await left.WriteAsync(ReadOnlySpan<byte>.Empty);
            await Loop.InvokeAsync(static () => { }); // the loop has had its turn
            await left.WriteAsync("next"u8);
            await AssertReads("next", right.ReadBytesAsync(4));
        }
    }));

    [Fact]
    public void Writes_are_sent_in_the_order_of_the_calls_whatever_their_sizes() => RunPair(async (left, right) =>
    {
        Random random = NewRandom();
        byte[] data = RandomBytes(random, 2_000_000);
        Task writing = Task.Run(async () =>
        {
            List<Task> writes = [];
            for (int at = 0; at < data.Length;)
            {
                int count = Math.Min(data.Length - at, random.Next(4) == 0 ? random.Next(30_000) : random.Next(200));
                ReadOnlyMemory<byte> piece = data.AsMemory(at, count);
                at += count;
                if (random.Next(8) == 0) left.Write(piece.Span);
                else writes.Add(left.WriteAsync(piece).AsTask());
            }

            await Task.WhenAll(writes);
            await left.CompleteWritesAsync();
        });
        AssertSame(data, await right.ReadUntilCloseAsync());
        await writing;
    });

    [Theory]
    [InlineData("close")]
    [InlineData("close on the loop")]
    [InlineData("complete")]
    [InlineData("close in order")]
    public void What_was_written_is_sent_before_the_end(string how) => RunPair((left, right) => Task.Run(async () =>
    {
        await left.WriteAsync("-"u8);
        await right.ReadBytesAsync(1);
        await left.WriteAsync("last"u8);
        switch (how)
        {
            case "close": left.Close(); break;
            case "close on the loop": await Loop.InvokeAsync(() => { left.Close(); return Task.CompletedTask; }); break;
            case "complete": await left.CompleteWritesAsync(); break;
            default: _ = left.CloseAsync().AsTask(); break;
        }

        await AssertReads("last", right.ReadBytesAsync(4));
    }));

    [Fact]
    public void No_write_joins_others_behind_the_end_of_the_writes() => RunPair((left, right) => Task.Run(async () =>
    {
        Task end, late;
        using (BlockLoop())
        {
            Assert.True(left.WriteAsync("last"u8).IsCompletedSuccessfully);
            end = left.CompleteWritesAsync().AsTask();
            late = left.WriteAsync("late"u8).AsTask();
            Assert.False(late.IsCompleted);
        }

        await AssertReads("last", right.ReadUntilCloseAsync());
        await end;
        // A pipe ends with its writes.
        Exception? error = await Record.ExceptionAsync(() => late);
        Assert.True(error is InvalidOperationException or StreamClosedException);
    }));

    private static T Now<T>(ValueTask<T> read)
    {
        Assert.True(read.IsCompletedSuccessfully);
        return read.Result;
    }

    private static async Task<List<int>> ReadNumbersAsync(BaseIOStream stream)
    {
        List<int> numbers = [];
        while (true)
        {
            try
            {
                numbers.Add(await stream.ReadBytesAsync(4, data => BitConverter.ToInt32(data)));
            }
            catch (InvalidOperationException)
            {
                await Task.Yield(); // the other one reads
            }
            catch (StreamClosedException)
            {
                return numbers;
            }
        }
    }

    /// <summary>Blocks the loop until the result is disposed.</summary>
    private Blocked BlockLoop()
    {
        Log.Allow("blocked");
        return new Blocked(Loop);
    }

    private sealed class Blocked : IDisposable
    {
        private readonly ManualResetEventSlim _release = new();

        internal Blocked(IOLoop loop)
        {
            using ManualResetEventSlim begun = new();
            loop.AddCallback(() =>
            {
                begun.Set();
                _release.Wait();
                _release.Dispose();
            });
            begun.Wait();
        }

        public void Dispose() => _release.Set();
    }
}
