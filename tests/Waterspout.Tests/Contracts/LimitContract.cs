using Microsoft.Extensions.Logging;

namespace Waterspout.Tests;

/// <summary>How much is buffered at most, and what happens beyond that.</summary>
[Contract(Aspects.Limits)]
public sealed class LimitContract : StreamContract
{
    private static readonly IOStreamOptions s_tenKilobytes = new() { MaxBufferSize = 10_240 };

    public static TheoryData<string> Reads => ["bytes", "delimiter", "regex", "close", "peek"];

    public static TheoryData<string> LaterReads => ["message", "messages", "any", "line"];

    [Theory]
    [MemberData(nameof(Reads))]
    [MemberData(nameof(LaterReads))]
    public void A_read_that_needs_more_than_the_buffer_may_hold_closes_the_stream(string kind)
    {
        // The left side may be closed before it notices that its peer was.
        if (!Transport.HasResets) Log.Allow("written and not sent");
        RunPair(async (left, right) =>
        {
            Task read = Read(right, kind);
            Task write = left.WriteAsync((ReadOnlyMemory<byte>)new byte[100_000]).AsTask();
            StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(() => read);
            Assert.IsType<StreamBufferFullException>(error.InnerException);
            Assert.Same(error.InnerException, right.Error);
            Assert.True(right.IsClosed);
            Assert.Equal(LogLevel.Information, CloseLine(right).Level);
            left.Close();
            await Record.ExceptionAsync(() => write);
        }, s_tenKilobytes);

        static async Task Read(BaseIOStream stream, string kind)
        {
            _ = kind switch
            {
                "bytes" => await stream.ReadBytesAsync(50_000),
                "delimiter" => await stream.ReadUntilAsync("\n"u8),
                "regex" => await stream.ReadUntilRegexAsync("\\n"),
                "close" => await stream.ReadUntilCloseAsync(),
                "message" => await stream.ReadMessageAsync<byte[]>(NeedMore),
                "messages" => [await stream.ReadMessagesAsync<byte[]>(NeedMore, static _ => true) ? (byte)1 : (byte)0],
                "any" => (await stream.ReadUntilAnyAsync([new byte[] { 1 }, new byte[] { 2 }])).Data,
                "line" => [(byte)(await stream.ReadLineAsync())!.Length],
                _ => (await stream.PeekAsync(50_000)).ToArray(),
            };
        }

        static bool NeedMore(ReadOnlySpan<byte> data, out int consumed, out byte[] message, out int needed)
        {
            (consumed, message, needed) = (0, [], 0);
            return false;
        }
    }

    [Fact]
    public void Many_small_reads_together_may_be_more_than_the_buffer_holds() => RunPair(async (left, right) =>
    {
        byte[] line = new byte[1024];
        line[^1] = (byte)'\n';
        for (int i = 0; i < 100; i++) await left.WriteAsync((ReadOnlySpan<byte>)line);
        for (int i = 0; i < 50; i++)
        {
            Assert.Equal(1024, (await right.ReadUntilAsync("\n"u8)).Length);
            Assert.Equal(1024, (await right.ReadBytesAsync(1024)).Length);
        }

        // The buffer may be filled to the last byte.
        await Buffer(left, right, new string('x', 10_240));
        Assert.Equal(10_240, (await right.ReadBytesAsync(10_240)).Length);
    }, s_tenKilobytes);

    [Fact]
    public void Memory_of_the_callers_is_not_limited_by_the_buffer() => RunPair(async (left, right) =>
    {
        byte[] data = RandomBytes(new Random(5), 100_000);
        Task write = left.WriteAsync((ReadOnlyMemory<byte>)data).AsTask();
        byte[] target = new byte[100_000];
        Assert.Equal(100_000, await right.ReadIntoAsync(target));
        AssertSame(data, target);
        await write;
    }, s_tenKilobytes);

    [Fact]
    public void An_idle_reader_holds_the_writer_back_and_costs_no_turns() => RunPair(async (left, right) =>
    {
        byte[] data = Clog(left, out Task write);
        await right.ReadBytesAsync(1);
        // What the kernel still accepts is accepted, and then nothing more happens, however long the loop runs.
        long sent = -1;
        while (sent != Loop.Counters.BytesOut)
        {
            sent = Loop.Counters.BytesOut;
            await Turns(50);
        }

        Assert.False(write.IsCompleted);
        Assert.True(Loop.Counters.BytesIn < data.Length / 2, "Nobody had asked for that much.");
        byte[] rest = new byte[data.Length - 1];
        await right.ReadIntoAsync(rest);
        AssertSame(data.AsMemory(1), rest);
        await write;
        Assert.False(left.IsWriting);
    });

    [Fact]
    public void A_write_beyond_the_limit_is_refused_whole_without_side_effects() => RunPair(async (left, right) =>
    {
        byte[] data = Clog(left, out Task write);
        await AssertFails<StreamBufferFullException>(left.WriteAsync((ReadOnlyMemory<byte>)data));
        await AssertFails<StreamBufferFullException>(left.WriteAsync((ReadOnlySpan<byte>)data));
        Assert.Throws<StreamBufferFullException>(() => left.Write(data));
        Memory<byte> space = left.GetMemory(data.Length);
        Assert.Throws<StreamBufferFullException>(() => left.Advance(space.Length));
        Task small = left.WriteAsync("small"u8).AsTask();
        byte[] target = new byte[data.Length];
        await right.ReadIntoAsync(target);
        AssertSame(data, target);
        await write;
        await small;
        await left.WriteAsync("later"u8);
        await AssertReads("smalllater", right.ReadBytesAsync(10));
    }, new IOStreamOptions { MaxWriteBufferSize = Transport.MoreThanTheKernelTakes * 5L / 4 });

    [Fact]
    public void Without_a_reader_nothing_is_received_and_with_one_no_more_ahead_than_one_chunk() => RunPair(async (left, right) =>
    {
        Task write = left.WriteAsync((ReadOnlyMemory<byte>)new byte[100_000]).AsTask();
        await Turns(20);
        Assert.Equal(0, right.UnreadBytes);
        for (int length = 10; length < 10_000; length *= 10)
        {
            await right.ReadBytesAsync(length);
            await Turns(20);
            Assert.InRange(right.UnreadBytes, 0, 1000);
        }

        await right.ReadBytesAsync(100_000 - 1110);
        await write;
    }, new IOStreamOptions { ReadChunkSize = 1000 });

    [Theory]
    [MemberData(nameof(Reads))]
    public void A_stream_that_nothing_is_left_of_holds_no_memory_for_it(string kind) => RunPair(async (left, right) =>
    {
        Task<byte[]> read = right.ReadUntilRegexAsync(",").AsTask();
        await left.WriteAsync("text, more\n"u8);
        await read;
        await right.PeekAsync(6);
        Assert.True(right.HoldsReadMemory);
        await AssertReads(" more\n", kind switch
        {
            "bytes" => right.ReadBytesAsync(6),
            "delimiter" => right.ReadUntilAsync("\n"u8),
            "regex" => right.ReadUntilRegexAsync("\\n"),
            "close" => ReadToTheEndAsync(),
            _ => ReadIntoAsync(),
        });
        Assert.False(right.HoldsReadMemory);

        async ValueTask<byte[]> ReadToTheEndAsync()
        {
            _ = left.CloseAsync();
            return await right.ReadUntilCloseAsync();
        }

        async ValueTask<byte[]> ReadIntoAsync()
        {
            byte[] target = new byte[6];
            await right.ReadIntoAsync(target);
            return target;
        }
    });

    [Theory]
    [InlineData("wait")]
    [InlineData("other")]
    [InlineData("close")]
    [InlineData("parser")]
    public void The_text_of_a_regex_read_is_released_when_it_is_useless(string how) => RunPair(async (left, right) =>
    {
        await Buffer(left, right, "text, rest");
        await AssertReads("text,", right.ReadUntilRegexAsync(","));
        Assert.True(right.HoldsText, "The next read for the expression would go on from there.");
        Task? read = null;
        if (how == "wait") read = right.ReadUntilAsync("\n"u8).AsTask();
        else if (how == "other") read = right.ReadUntilRegexAsync("(?!)").AsTask();
        else if (how == "close") right.Close();
        else await right.ReadBytesAsync(1, _ => { right.Close(); return 0; });
        if (how == "other") right.Close();
        Assert.False(right.HoldsText);
        if (read is null) return;
        left.Close();
        await Assert.ThrowsAsync<StreamClosedException>(() => read);
        Assert.False(right.HoldsText);
    }, new IOStreamOptions { ReadChunkSize = 1000 }); // so that the text is not released together with a large array

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void Options_out_of_range_are_refused(int value)
    {
        AssertRefused(new IOStreamOptions { MaxBufferSize = value });
        AssertRefused(new IOStreamOptions { ReadChunkSize = value });
        AssertRefused(new IOStreamOptions { MaxWriteBufferSize = value });
        AssertRefused(new IOStreamOptions { WriteHighWaterMark = -1 });
        AssertRefused(new IOStreamOptions { ReadTimeout = TimeSpan.FromSeconds(value) });
        AssertRefused(new IOStreamOptions { WriteTimeout = TimeSpan.FromSeconds(value) });
        AssertRefused(new IOStreamOptions { OnReadLimit = (ReadLimitAction)(value + 3) });
        AssertRefused(new IOStreamOptions { NewLine = value == 0 ? "" : "\r" });

        void AssertRefused(IOStreamOptions options) => Run(() => Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Transport.ConnectAsync(options)));
    }

    [Fact]
    public void The_largest_options_allocate_nothing_of_that_size() => RunPair(async (left, right) =>
    {
        await left.WriteAsync("one\ntwo\nthree four and the rest"u8);
        await AssertReads("one\n", right.ReadUntilAsync("\n"u8, int.MaxValue));
        await AssertReads("two\n", right.ReadUntilRegexAsync("\\n", int.MaxValue));
        await AssertReads("three ", right.ReadBytesAsync(6));
        await foreach (ReadOnlyMemory<byte> chunk in right.ReadChunksAsync())
        {
            Assert.StartsWith("four", Text(chunk.Span));
            break;
        }

        List<byte> data = [];
        TaskCompletionSource<byte[]> end = new();
        right.ReadUntilClose(end.SetResult, data.AddRange);
        await WriteAndClose(left, "the end");
        await end.Task;
        Assert.EndsWith("the end", Text(data.ToArray()));
    }, new IOStreamOptions { ReadChunkSize = int.MaxValue, MaxBufferSize = int.MaxValue, MaxWriteBufferSize = long.MaxValue, WriteHighWaterMark = int.MaxValue });
}
