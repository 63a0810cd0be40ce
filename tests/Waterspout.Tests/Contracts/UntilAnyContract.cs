namespace Waterspout.Tests;

/// <summary>Reads up to the first of several delimiters.</summary>
[Contract(Aspects.Receiving)]
public sealed class UntilAnyContract : StreamContract
{
    [Theory]
    [InlineData("a,b;", ",|;", "a,", 0)]
    [InlineData("a;b,", ",|;", "a;", 1)]
    [InlineData("line\r\nrest", "\n|\r\n", "line\r\n", 1)] // both end here: the longest
    [InlineData("line\r\nrest", "\r\n|\n", "line\r\n", 0)]
    [InlineData("line\nrest", "\r\n|\n", "line\n", 1)]
    [InlineData("xabc", "ab|abc", "xab", 0)] // the one that ends first
    [InlineData("xabc", "abc|b", "xab", 1)]
    [InlineData("xabcd", "bc|abcd|c", "xabc", 0)]
    [InlineData("a,", ",|,", "a,", 0)]
    [InlineData("aab", "ab|aab", "aab", 1)]
    [InlineData(",", ";|,", ",", 1)]
    public void The_delimiter_that_ends_first_is_found_and_of_several_that_end_there_the_longest(string data, string delimiters, string expected, int which)
    {
        ReadOnlyMemory<byte>[] all = [.. delimiters.Split('|').Select(static delimiter => (ReadOnlyMemory<byte>)Bytes(delimiter))];
        RunPair(async (left, right) =>
        {
            await Buffer(left, right, data);
            await AssertReads(expected, which, right.ReadUntilAnyAsync(all));
            await AssertReads(data[expected.Length..], right.ReadBytesAsync(data.Length - expected.Length));
            ValueTask<(byte[] Data, int Delimiter)> waiting = right.ReadUntilAnyAsync(all);
            foreach (byte value in Bytes(data)[..expected.Length]) await SendAlone(left, new[] { value });
            await AssertReads(expected, which, waiting);
        });
    }

    [Fact]
    public void The_parser_gets_the_bytes_and_which_delimiter_it_was() => RunPair(async (left, right) =>
    {
        await Buffer(left, right, "a,b;c,");
        Assert.Equal("a,0", await right.ReadUntilAnyAsync(Any(",", ";"), static (data, which) => Text(data) + which));
        Assert.Equal("<b;1", await right.ReadUntilAnyAsync(Any(",", ";"), "<", static (data, which, prefix) => prefix + Text(data) + which));
        Assert.Equal(">c,1", await right.ReadUntilAnyAsync(Any(";", ","), ">", static (data, which, prefix) => prefix + Text(data) + which));
    });

    [Fact]
    public void Delimiters_are_copied_by_the_call() => RunPair(async (left, right) =>
    {
        byte[] delimiter = [(byte)','];
        ReadOnlyMemory<byte>[] delimiters = [delimiter];
        ValueTask<(byte[] Data, int Delimiter)> read = right.ReadUntilAnyAsync(delimiters);
        delimiter[0] = (byte)'a';
        delimiters[0] = default;
        await left.WriteAsync("a,;"u8);
        await AssertReads("a,", 0, read);
        await AssertReads(";", 0, right.ReadUntilAnyAsync(Any(";")));
    });

    [Fact]
    public void A_limit_that_is_passed_loses_nothing() => RunPair(async (left, right) =>
    {
        await left.WriteAsync("four,fives,"u8);
        await AssertReads("four,", 0, right.ReadUntilAnyAsync(Any(",", ";"), maxBytes: 5));
        await Assert.ThrowsAsync<UnsatisfiableReadException>(right.ReadUntilAnyAsync(Any(",", ";"), maxBytes: 5).AsTask);
        Assert.False(right.IsClosed);
        await AssertReads("fives,", 0, right.ReadUntilAnyAsync(Any(",", ";"), maxBytes: 6));
    });

    [Fact]
    public void A_parser_that_throws_fails_its_read_and_its_bytes_count_as_read() => RunPair(async (left, right) =>
    {
        await Buffer(left, right, "bad,good;");
        await AssertFails<FormatException>(right.ReadUntilAnyAsync<int>(Any(",", ";"), static (_, _) => throw new FormatException("bad")));
        await AssertReads("good;", 1, right.ReadUntilAnyAsync(Any(",", ";")));
    });

    [Fact]
    public void An_end_before_a_delimiter_is_an_error_and_leaves_what_was_there() => RunPair(async (left, right) =>
    {
        Task write = WriteAndClose(left, "rest");
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(right.ReadUntilAnyAsync(Any(",", ";")).AsTask);
        Assert.Equal(CloseReason.EndOfStream, error.Reason);
        await AssertReads("rest", right.ReadUntilCloseAsync());
        await write;
    });

    [Fact]
    public void Arguments_are_checked_at_the_call() => RunPair((left, right) =>
    {
        Assert.Throws<ArgumentNullException>(() => { _ = right.ReadUntilAnyAsync(null!); });
        Assert.Throws<ArgumentException>(() => { _ = right.ReadUntilAnyAsync([]); });
        Assert.Throws<ArgumentException>(() => { _ = right.ReadUntilAnyAsync(Any(",", "")); });
        Assert.Throws<ArgumentNullException>(() => { _ = right.ReadUntilAnyAsync<int>(Any(","), null!); });
        Assert.Throws<ArgumentNullException>(() => { _ = right.ReadUntilAnyAsync<int, int>(Any(","), 1, null!); });
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = right.ReadUntilAnyAsync(Any(","), maxBytes: 0); });
        return Task.CompletedTask;
    });

    private static ReadOnlyMemory<byte>[] Any(params string[] delimiters) => [.. delimiters.Select(static delimiter => (ReadOnlyMemory<byte>)Bytes(delimiter))];

    private static async Task AssertReads(string data, int delimiter, ValueTask<(byte[] Data, int Delimiter)> read)
    {
        (byte[] found, int which) = await read;
        Assert.Equal(data, Text(found));
        Assert.Equal(delimiter, which);
    }
}
