namespace Waterspout.Tests;

/// <summary>Reads of a number of bytes, and until EOF; and what all kinds of reads have in common.</summary>
[Contract(Aspects.Receiving)]
public sealed class ReadContract : StreamContract
{
    [Fact]
    public void A_number_of_bytes_is_put_together_from_pieces() => RunPair(async (left, right) =>
    {
        ValueTask<byte[]> read = right.ReadBytesAsync(2);
        await SendAlone(left, Bytes("a"));
        Assert.False(read.IsCompleted);
        Assert.True(right.IsReading);
        await left.WriteAsync("b"u8);
        await AssertReads("ab", read);
        Assert.False(right.IsReading);
    });

    [Fact]
    public void Reading_no_bytes_returns_nothing_at_once() => RunPair(async (left, right) =>
    {
        Assert.Empty(ResultOf(right.ReadBytesAsync(0)));
        Assert.Empty(ResultOf(right.ReadBytesAsync(0, partial: true)));
        Assert.Equal(0, ResultOf(right.ReadIntoAsync(Memory<byte>.Empty)));
        Assert.True(ResultOf(right.PeekAsync(0)).IsEmpty);
        Assert.Equal(0, ResultOf(right.ReadBytesAsync(0, static data => data.Length)));
        await left.WriteAsync("next"u8);
        await AssertReads("next", right.ReadBytesAsync(4));
    });

    [Fact]
    public void A_partial_read_returns_what_there_is_up_to_the_count() => RunPair(async (left, right) =>
    {
        await Buffer(left, right, "12345");
        await AssertReads("12345", right.ReadBytesAsync(50, partial: true));
        await Buffer(left, right, "12345");
        await AssertReads("123", right.ReadBytesAsync(3, partial: true));
        await AssertReads("45", right.ReadBytesAsync(50, partial: true));
    });

    [Fact]
    public void A_partial_read_waits_for_the_first_byte() => RunPair(async (left, right) =>
    {
        ValueTask<byte[]> read = right.ReadBytesAsync(50, partial: true);
        await Turn();
        Assert.False(read.IsCompleted);
        await left.WriteAsync("x"u8);
        await AssertReads("x", read);
    });

    [Fact]
    public void A_read_until_close_returns_everything_once() => RunPair(async (left, right) =>
    {
        ValueTask<byte[]> read = right.ReadUntilCloseAsync();
        foreach (string piece in (string[])["one ", "two ", "three"]) await SendAlone(left, Bytes(piece));
        await left.CloseAsync(TimeSpan.Zero);
        await AssertReads("one two three", read);
        Assert.True(right.IsClosed);
        Assert.Equal(CloseReason.EndOfStream, right.CloseReason);
        await AssertFails<StreamClosedException>(right.ReadUntilCloseAsync());
    });

    [Fact]
    public void A_read_until_close_after_the_close_returns_the_rest_then_fails() => RunPair(async (left, right) =>
    {
        await left.WriteAsync("line\nrest"u8);
        _ = left.CloseAsync();
        await AssertReads("line\n", right.ReadUntilAsync("\n"u8));
        await AssertFails<StreamClosedException>(right.ReadUntilAsync("\n"u8));
        Assert.True(right.IsClosed);
        await AssertReads("rest", right.ReadUntilCloseAsync());
        await AssertFails<StreamClosedException>(right.ReadUntilCloseAsync());
    });

    [Fact]
    public void A_second_read_is_refused_and_leaves_the_first_alone() => RunPair(async (left, right) =>
    {
        ValueTask<byte[]> first = right.ReadBytesAsync(3);
        Assert.StartsWith("Already reading: ", (await AssertFails<InvalidOperationException>(right.ReadBytesAsync(1))).Message);
        await AssertFails<InvalidOperationException>(right.ReadIntoAsync(new byte[1]));
        await AssertFails<InvalidOperationException>(right.ReadUntilAsync("\n"u8));
        await AssertFails<InvalidOperationException>(right.ReadUntilRegexAsync("x"));
        await AssertFails<InvalidOperationException>(right.ReadUntilCloseAsync());
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await right.PeekAsync(1));
        await left.WriteAsync("abc"u8);
        await AssertReads("abc", first);
    });

    [Fact]
    public void Every_kind_of_read_takes_what_had_arrived_before_the_close() => RunPair(async (left, right) =>
    {
        await Buffer(left, right, "peek,array,into,partial,regex,parse;rest");
        right.Close();
        Assert.Equal("peek", Text((await right.PeekAsync(4)).Span));
        await AssertReads("peek,", right.ReadUntilAsync(","u8));
        await AssertReads("array,", right.ReadBytesAsync(6));
        byte[] target = new byte[5];
        await right.ReadIntoAsync(target);
        Assert.Equal("into,", Text(target));
        await AssertReads("partial,", right.ReadBytesAsync(8, partial: true));
        await AssertReads("regex,", right.ReadUntilRegexAsync("x,"));
        Assert.Equal("parse;", await right.ReadUntilAsync(";"u8, static data => Text(data)));
        await AssertFails<StreamClosedException>(right.ReadBytesAsync(5));
        await AssertReads("rest", right.ReadBytesAsync(4));
        await AssertFails<StreamClosedException>(right.ReadBytesAsync(1));
    });

    [Fact]
    public void Peeking_leaves_the_bytes_where_they_are() => RunPair(async (left, right) =>
    {
        Task<ReadOnlyMemory<byte>> peek = right.PeekAsync(3).AsTask();
        await SendAlone(left, Bytes("ab"));
        Assert.False(peek.IsCompleted);
        await left.WriteAsync("cd"u8);
        Assert.Equal("abc", Text((await peek).Span));
        await AssertReads("abcd", right.ReadBytesAsync(4));
        // A copy: later changes of the stream's buffer do not show in it.
        await Buffer(left, right, "wxyz");
        Assert.Equal("abc", Text((await peek).Span));
    });

    [Fact]
    public void Reads_that_begin_in_the_completion_of_another_do_not_grow_the_stack() => RunPair(async (left, right) =>
    {
        const int Count = 100_000;
        Task write = left.WriteAsync((ReadOnlyMemory<byte>)new byte[Count]).AsTask();
        for (int i = 0; i < Count; i++) await right.ReadBytesAsync(1);
        await write;
        // A read that waits, each time.
        for (int i = 0; i < 2000; i++)
        {
            ValueTask<byte[]> read = right.ReadBytesAsync(1);
            await left.WriteAsync("x"u8);
            await read;
        }
    });

    [Fact]
    public void Wrong_arguments_throw_from_the_call_itself() => RunPair((left, right) =>
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => _ = right.ReadBytesAsync(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => _ = right.ReadBytesAsync(-1, static data => 0));
        Assert.Throws<ArgumentNullException>(() => _ = right.ReadBytesAsync<int>(1, null!));
        Assert.Throws<ArgumentOutOfRangeException>(() => _ = right.PeekAsync(-1));
        Assert.Throws<ArgumentException>(() => _ = right.ReadUntilAsync([]));
        Assert.Throws<ArgumentOutOfRangeException>(() => _ = right.ReadUntilAsync("x"u8, maxBytes: 0));
        Assert.Throws<ArgumentNullException>(() => _ = right.ReadUntilAsync<int>("x"u8, null!));
        Assert.Throws<ArgumentNullException>(() => _ = right.ReadUntilRegexAsync((string)null!));
        Assert.Throws<ArgumentOutOfRangeException>(() => _ = right.ReadUntilRegexAsync("x", maxBytes: -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => _ = right.ReadChunksAsync(-1));
        Assert.Throws<ArgumentException>(() => _ = right.SplitAsync(Array.Empty<byte>()));
        Assert.False(right.IsReading);
        return Task.CompletedTask;
    });

    [Fact]
    public void A_result_can_be_taken_once_and_only_when_it_is_there() => RunPair(async (left, right) =>
    {
        ValueTask<byte[]> read = right.ReadBytesAsync(1);
        Assert.Throws<InvalidOperationException>(() => read.GetAwaiter().GetResult());
        await left.WriteAsync("ab"u8);
        await AssertReads("a", read);
        await AssertReads("b", right.ReadBytesAsync(1));
        ValueTask<byte[]> next = right.ReadBytesAsync(1);
        Assert.Throws<InvalidOperationException>(() => read.GetAwaiter().GetResult());
        await left.WriteAsync("c"u8);
        await AssertReads("c", next);
    });

    private static T ResultOf<T>(ValueTask<T> completed)
    {
        Assert.True(completed.IsCompleted);
        return completed.GetAwaiter().GetResult();
    }
}
