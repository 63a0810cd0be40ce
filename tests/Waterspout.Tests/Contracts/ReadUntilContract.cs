using System.Text.RegularExpressions;

namespace Waterspout.Tests;

/// <summary>Reads up to a delimiter or a match, sequences of pieces, and the limits of reads.</summary>
[Contract(Aspects.Receiving)]
public sealed class ReadUntilContract : StreamContract
{
    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\r\n\r\n")]
    [InlineData("aab")]
    public void A_delimiter_is_found_wherever_it_is_split(string delimiter) => RunPair(async (left, right) =>
    {
        string message = "aa\r" + delimiter;
        for (int i = 1; i < message.Length; i++)
        {
            ValueTask<byte[]> read = right.ReadUntilAsync(Bytes(delimiter));
            await SendAlone(left, Bytes(message[..i]));
            Assert.False(read.IsCompleted);
            await left.WriteAsync(Bytes(message[i..] + "more"));
            await AssertReads(message, read);
            await AssertReads("more", right.ReadBytesAsync(4));
        }
    });

    [Fact]
    public void A_delimiter_is_found_in_pieces_of_one_byte() => RunPair(async (left, right) =>
    {
        const string Message = "a\r\r\nb\r\n\rc\r\n\r\n";
        ValueTask<byte[]> read = right.ReadUntilAsync("\r\n\r\n"u8);
        foreach (char character in Message)
        {
            Assert.False(read.IsCompleted);
            await SendAlone(left, new[] { (byte)character });
        }

        await AssertReads(Message, read);
    });

    [Fact]
    public void A_long_message_in_small_pieces_comes_whole() => RunPair(async (left, right) =>
    {
        int pieces = Transport.Rounds(1024);
        byte[] piece = new byte[1024];
        piece.AsSpan().Fill((byte)'A');
        ValueTask<byte[]> read = right.ReadUntilAsync("\r\n"u8);
        for (int i = 0; i < pieces; i++) await left.WriteAsync((ReadOnlySpan<byte>)piece);
        await left.WriteAsync("\r\n"u8);
        byte[] message = await read;
        Assert.Equal((pieces * 1024) + 2, message.Length);
        Assert.Equal(pieces * 1024, message.AsSpan().IndexOfAnyExcept((byte)'A'));
    });

    [Fact]
    public void A_delimiter_right_before_the_end_is_found() => RunPair(async (left, right) =>
    {
        ValueTask<byte[]> read = right.ReadUntilAsync("done"u8);
        await left.WriteAsync(Bytes(new string('x', 2048) + "done"));
        _ = left.CloseAsync();
        Assert.Equal(2052, (await read).Length);
    });

    [Fact]
    public void The_end_before_the_delimiter_is_not_a_matter_of_limits() => RunPair(async (left, right) =>
    {
        ValueTask<byte[]> read = right.ReadUntilAsync("done"u8, maxBytes: 10_000);
        await left.WriteAsync(Bytes(new string('x', 2048) + "foo"));
        _ = left.CloseAsync();
        StreamClosedException error = await AssertFails<StreamClosedException>(read);
        Assert.Null(error.InnerException);
        Assert.Equal(CloseReason.EndOfStream, error.Reason);
        Assert.Equal(2051, (await right.ReadUntilCloseAsync()).Length);
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_delimiter_that_ends_at_the_limit_is_within_it(bool isBuffered) => RunPair(async (left, right) =>
    {
        foreach (bool isRegex in (bool[])[false, true])
        {
            if (isBuffered) await Buffer(left, right, "abcdefghi");
            ValueTask<byte[]> read = isRegex ? right.ReadUntilRegexAsync("def", maxBytes: 6) : right.ReadUntilAsync("def"u8, maxBytes: 6);
            if (!isBuffered) await left.WriteAsync("abcdefghi"u8);
            await AssertReads("abcdef", read);
            await AssertReads("ghi", right.ReadBytesAsync(3));
        }
    });

    [Theory]
    [InlineData(true, false, "abcdef")]
    [InlineData(false, false, "abcdef")]
    [InlineData(true, true, "abcdef")]
    [InlineData(false, true, "abcdef")]
    [InlineData(false, false, "no such thing in these")]
    [InlineData(false, true, "no such thing in these")]
    public void A_delimiter_beyond_the_limit_fails_the_read_and_loses_nothing(bool isBuffered, bool isRegex, string data)
    {
        RunPair(async (left, right) =>
        {
            if (isBuffered) await Buffer(left, right, data);
            ValueTask<byte[]> read = isRegex ? right.ReadUntilRegexAsync("def", maxBytes: 5) : right.ReadUntilAsync("def"u8, maxBytes: 5);
            if (!isBuffered) await left.WriteAsync(Bytes(data));
            await AssertFails<UnsatisfiableReadException>(read);
            Assert.False(right.IsClosed);
            await AssertReads(data, right.ReadBytesAsync(data.Length));
        });
    }

    [Theory]
    [InlineData("\\d\\n", "1a2\n", "rest")] // anywhere in the data
    [InlineData("b(?=c)", "ab", "cd")]
    [InlineData("a$", "a", "")] // the end of the data so far
    [InlineData("x*", "", "yx")] // an empty match, at the start
    [InlineData("(?<=\u00e9)\u00ff", "\u00e9\u00ff", "z")] // bytes are characters up to U+00FF
    [InlineData(".b", "\nab", "")] // the dot does not match a newline
    public void A_regex_read_ends_where_the_leftmost_match_ends(string pattern, string match, string rest) => RunPair(async (left, right) =>
    {
        await Buffer(left, right, match + rest);
        await AssertReads(match, right.ReadUntilRegexAsync(pattern));
        await AssertReads(rest, right.ReadBytesAsync(rest.Length));
        await Buffer(left, right, match + rest);
        await AssertReads(match, right.ReadUntilRegexAsync(new Regex(pattern, RegexOptions.Compiled)));
    });

    [Theory]
    [InlineData("\r\n\r\n")]
    [InlineData("\\r?\\n\\r?\\n")]
    [InlineData("\\bfoo\\b.*?end")]
    [InlineData("(?<=ab)c+d")]
    [InlineData("a(?!b)[cd]{3}")]
    [InlineData("(a|b)x\\1")]
    public void A_match_is_found_in_pieces_of_one_byte(string pattern) => RunPair(async (left, right) =>
    {
        string message = $"{new string('-', 1500)} axb foo ab foobar abcd accc bxb axa\r\nfoo\r\n\r\n foo end";
        Regex regex = new(pattern);
        int length = Enumerable.Range(1, message.Length).First(n => regex.IsMatch(message[..n]));
        ValueTask<byte[]> read = right.ReadUntilRegexAsync(pattern);
        await SendAlone(left, Bytes(message[..1490]));
        for (int i = 1490; i < length; i++)
        {
            Assert.False(read.IsCompleted);
            await SendAlone(left, Bytes(message[i..(i + 1)]));
        }

        await AssertReads(message[..length], read);
    });

    [Fact]
    public void Chunks_bring_everything_until_the_end_of_the_stream() => RunPair(async (left, right) =>
    {
        Task write = WriteAndClose(left, "one two three");
        List<byte> data = [];
        await foreach (ReadOnlyMemory<byte> chunk in right.ReadChunksAsync())
        {
            Assert.False(chunk.IsEmpty);
            data.AddRange(chunk.Span);
        }

        Assert.Equal("one two three", Text(data.ToArray()));
        await write;
    });

    [Fact]
    public void Chunks_end_at_the_count_and_leave_what_follows() => RunPair(async (left, right) =>
    {
        await Buffer(left, right, "0123456789rest");
        List<byte> data = [];
        await foreach (ReadOnlyMemory<byte> chunk in right.ReadChunksAsync(10)) data.AddRange(chunk.Span);
        Assert.Equal("0123456789", Text(data.ToArray()));
        await foreach (ReadOnlyMemory<byte> _ in right.ReadChunksAsync(0)) Assert.Fail("There are no chunks in zero bytes.");
        await AssertReads("rest", right.ReadBytesAsync(4));
    });

    [Theory]
    [InlineData("a,b,,c,", "a|b||c")]
    [InlineData("a,b,,rest", "a|b||rest")]
    [InlineData("", "")]
    public void Splitting_yields_the_pieces_without_the_delimiter(string data, string pieces) => RunPair(async (left, right) =>
    {
        Task write = WriteAndClose(left, data);
        List<string> found = [];
        await foreach (byte[] piece in right.SplitAsync(Bytes(","))) found.Add(Text(piece));
        Assert.Equal(pieces, string.Join('|', found));
        await write;
    });

    [Fact]
    public void Leaving_a_split_early_leaves_the_rest_in_the_stream() => RunPair(async (left, right) =>
    {
        await Buffer(left, right, "a, b, rest");
        await foreach (byte[] piece in right.SplitAsync(Bytes(", ")))
            if (Text(piece) == "b") break;
        await AssertReads("rest", right.ReadBytesAsync(4));
    });

    [Fact]
    public void A_piece_beyond_the_limit_ends_the_sequence_and_the_pieces_before_it_count_as_read() => RunPair(async (left, right) =>
    {
        await left.WriteAsync("a,much too long,b"u8);
        List<string> found = [];
        await Assert.ThrowsAsync<UnsatisfiableReadException>(async () =>
        {
            await foreach (byte[] piece in right.SplitAsync(Bytes(","), maxBytes: 5)) found.Add(Text(piece));
        });
        Assert.Equal(["a"], found);
        await AssertReads("much too long,", right.ReadUntilAsync(","u8));
    });
}
