namespace Waterspout.Tests;

/// <summary>Frames: a length, and as many bytes as it says.</summary>
[Contract(Aspects.Receiving)]
public sealed class FrameContract : StreamContract
{
    private static readonly FrameLength s_byte = new(1);

    /// <summary>The length of three bytes, "abc", in each way, and of a longer frame where the order of the bytes shows.</summary>
    public static TheoryData<string, string, int> Lengths => new()
    {
        { "1", "\u0003", 3 },
        { "2", "\0\u0003", 3 },
        { "2", "\u0001\u0002", 258 },
        { "2 little", "\u0001\u0002", 513 },
        { "4", "\0\0\u0001\u0002", 258 },
        { "4 little", "\u0001\u0002\0\0", 513 },
        { "8", "\0\0\0\0\0\0\u0001\u0002", 258 },
        { "8 little", "\u0001\u0002\0\0\0\0\0\0", 513 },
        { "1 itself", "\u0004", 3 },
        { "4 itself", "\0\0\0\u0004", 0 },
        { "8 little itself", "\u0008\0\0\0\0\0\0\0", 0 },
        { "varint", "\0", 0 },
        { "varint", "\u007f", 127 },
        { "varint", "\u0080\u0001", 128 },
        { "varint", "\u00ac\u0002", 300 },
    };

    public static TheoryData<string, string> LongestLengths => new()
    {
        { "4", "\u00ff\u00ff\u00ff\u00ff" },
        { "8", "\u0080\0\0\0\0\0\0\0" },
        { "8", "\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff" },
        { "8 little itself", "\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u007f" },
        { "varint", "\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u0001" },
    };

    public static TheoryData<string, string> NoLengths => new()
    {
        { "1 itself", "\0" },
        { "4 itself", "\0\0\0\u0003" },
        { "varint", "\u0080\0" },
        { "varint", "\u0083\u0080\0" },
        { "varint", "\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u0002" },
        { "varint", "\u0080\u0080\u0080\u0080\u0080\u0080\u0080\u0080\u0080\u0080" },
    };

    [Theory]
    [MemberData(nameof(Lengths))]
    public void A_frame_is_what_its_length_says(string length, string header, int count) => RunPair(async (left, right) =>
    {
        string body = new('x', count);
        await left.WriteAsync(Bytes(header + body + "rest"));
        await AssertReads(body, right.ReadFrameAsync(Length(length)));
        await AssertReads("rest", right.ReadBytesAsync(4));
    });

    [Theory]
    [MemberData(nameof(Lengths))]
    public void A_frame_that_comes_byte_by_byte_is_found(string length, string header, int count) => RunPair(async (left, right) =>
    {
        string body = new('x', count);
        ValueTask<int> read = right.ReadFrameAsync(Length(length), static data => data.Length);
        foreach (byte value in Bytes(header)) await SendAlone(left, new[] { value });
        if (count > 0)
        {
            await SendAlone(left, Bytes(body[..1]));
            await left.WriteAsync(Bytes(body[1..]));
        }

        Assert.Equal(count, await read);
    });

    [Fact]
    public void A_state_reaches_the_parser_of_a_frame() => RunPair(async (left, right) =>
    {
        await Buffer(left, right, "\u0003one\u0003two");
        Assert.Equal("<one", await right.ReadFrameAsync(s_byte, "<", static (data, prefix) => prefix + Text(data)));
        Assert.Equal(">two", await right.ReadFrameAsync(s_byte, ">", static (data, prefix) => prefix + Text(data)));
    });

    [Fact]
    public void A_frame_may_be_as_long_as_the_limit_and_one_that_is_longer_loses_nothing() => RunPair(async (left, right) =>
    {
        await left.WriteAsync("\u0003one\u0004"u8);
        await AssertReads("one", right.ReadFrameAsync(s_byte, maxBytes: 3));
        UnsatisfiableReadException error = await AssertFails<UnsatisfiableReadException>(right.ReadFrameAsync(s_byte, maxBytes: 3));
        Assert.Contains("4 bytes", error.Message, StringComparison.Ordinal);
        Assert.False(right.IsClosed);
        await left.WriteAsync("four"u8);
        await AssertReads("four", right.ReadFrameAsync(s_byte, maxBytes: 4));
    });

    [Theory]
    [MemberData(nameof(LongestLengths))]
    public void A_length_beyond_all_bounds_fails_at_once(string length, string header) => RunPair(async (left, right) =>
    {
        await left.WriteAsync(Bytes(header));
        await AssertFails<UnsatisfiableReadException>(right.ReadFrameAsync(Length(length), maxBytes: 1000));
        StreamClosedException error = await AssertFails<StreamClosedException>(right.ReadFrameAsync(Length(length)));
        Assert.IsType<StreamBufferFullException>(error.InnerException);
    });

    [Fact]
    public void A_frame_has_to_fit_into_the_buffer_with_its_length() => RunPair(async (left, right) =>
    {
        string body = new('x', 99);
        await left.WriteAsync(Bytes((char)99 + body + (char)100));
        await AssertReads(body, right.ReadFrameAsync(s_byte));
        StreamClosedException error = await AssertFails<StreamClosedException>(right.ReadFrameAsync(s_byte));
        Assert.IsType<StreamBufferFullException>(error.InnerException);
    }, new IOStreamOptions { MaxBufferSize = 100 });

    [Theory]
    [MemberData(nameof(NoLengths))]
    public void A_length_that_cannot_be_fails_its_read_and_nothing_is_taken(string length, string header) => RunPair(async (left, right) =>
    {
        ValueTask<byte[]> read = right.ReadFrameAsync(Length(length));
        await left.WriteAsync(Bytes(header));
        await AssertFails<InvalidDataException>(read);
        await AssertReads(header, right.ReadBytesAsync(header.Length));
    });

    [Theory]
    [InlineData("\0")]
    [InlineData("\0\u0005four")]
    public void An_end_inside_a_frame_says_how_much_was_there_and_leaves_it(string sent) => RunPair(async (left, right) =>
    {
        Task write = WriteAndClose(left, sent);
        StreamClosedException error = await AssertFails<StreamClosedException>(right.ReadFrameAsync(new FrameLength(2)));
        Assert.IsType<EndOfStreamException>(error.InnerException);
        Assert.Contains($"{sent.Length} bytes", error.Message, StringComparison.Ordinal);
        await AssertReads(sent, right.ReadUntilCloseAsync());
        await write;
    });

    [Fact]
    public void A_parser_that_throws_fails_its_read_and_its_frame_counts_as_read() => RunPair(async (left, right) =>
    {
        await Buffer(left, right, "\u0003bad\u0004good");
        await AssertFails<FormatException>(right.ReadFrameAsync<int>(s_byte, static _ => throw new FormatException("bad")));
        await AssertReads("good", right.ReadFrameAsync(s_byte));
    });

    [Fact]
    public void Arguments_are_checked_at_the_call() => RunPair((left, right) =>
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new FrameLength(3));
        Assert.Throws<ArgumentException>(() => { _ = right.ReadFrameAsync(default); });
        Assert.Throws<ArgumentNullException>(() => { _ = right.ReadFrameAsync<int>(s_byte, null!); });
        Assert.Throws<ArgumentNullException>(() => { _ = right.ReadFrameAsync<int, int>(s_byte, 1, null!); });
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = right.ReadFrameAsync(s_byte, maxBytes: 0); });
        return Task.CompletedTask;
    });

    // What the data of a theory can name.
    private static FrameLength Length(string name) =>
        name == "varint" ? FrameLength.Varint : new FrameLength(name[0] - '0', name.Contains("little", StringComparison.Ordinal), name.Contains("itself", StringComparison.Ordinal));
}
