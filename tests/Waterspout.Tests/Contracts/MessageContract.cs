namespace Waterspout.Tests;

/// <summary>Messages that a parser of the caller's finds: a length of one byte, and as many bytes behind it.</summary>
[Contract(Aspects.Receiving)]
public sealed class MessageContract : StreamContract
{
    public static TheoryData<bool, int, int, bool> BrokenAnswers => new()
    {
        { true, 0, 0, false },
        { true, -1, 0, false },
        { true, 100, 0, false },
        { false, 1, 0, false },
        { false, 0, -1, false },
        { true, 0, 0, true },
        { true, -1, 0, true },
        { true, 100, 0, true },
        { false, 1, 0, true },
        { false, 0, -1, true },
    };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_message_is_what_the_parser_makes_of_its_bytes_and_the_rest_stays(bool isBuffered) => RunPair(async (left, right) =>
    {
        if (isBuffered) await Buffer(left, right, "\u0003one\0rest");
        ValueTask<string> read = right.ReadMessageAsync<string>(Parse);
        if (!isBuffered) await left.WriteAsync("\u0003one\0rest"u8);
        Assert.Equal("one", await read);
        Assert.Equal("", await right.ReadMessageAsync<string>(Parse));
        await AssertReads("rest", right.ReadBytesAsync(4));
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_parser_is_not_called_before_the_bytes_that_it_needs_are_there(bool saysHowMany) => RunPair(async (left, right) =>
    {
        List<int> seen = [];
        ValueTask<string> read = right.ReadMessageAsync((ReadOnlySpan<byte> data, out int consumed, out string message, out int needed) =>
        {
            seen.Add(data.Length);
            bool isWhole = Parse(data, out consumed, out message, out needed);
            if (!saysHowMany) needed = 0;
            return isWhole;
        });
        foreach (string part in (string[])["\u0004", "f", "o", "u", "r"]) await SendAlone(left, Bytes(part));
        Assert.Equal("four", await read);
        Assert.Equal(5, seen[^1]);
        Assert.Equal(seen.Distinct().Order(), seen);
        Assert.InRange(seen.Count, 1, saysHowMany ? 2 : 5);
    });

    [Fact]
    public void A_state_reaches_the_parser() => RunPair(async (left, right) =>
    {
        await Buffer(left, right, "\u0003one");
        ValueTask<string> read = right.ReadMessageAsync<string, string>("<", ParseBehind);
        Assert.Equal("<one", await read);
        read = right.ReadMessageAsync<string, string>(">", ParseBehind);
        foreach (string part in (string[])["\u0002", "t", "w"]) await SendAlone(left, Bytes(part));
        Assert.Equal(">tw", await read);
    });

    [Fact]
    public void A_message_may_be_as_long_as_the_limit() => RunPair(async (left, right) =>
    {
        await Buffer(left, right, "\u0003one\u0003two\u0004four");
        Assert.Equal("one", await right.ReadMessageAsync<string>(Parse, maxBytes: 4));
        List<string> found = [];
        await AssertFails<UnsatisfiableReadException>(right.ReadMessagesAsync(Parse, Gather(found), maxBytes: 4));
        Assert.Equal(["two"], found);
        Assert.Equal("four", await right.ReadMessageAsync<string>(Parse, maxBytes: 5));
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_message_beyond_the_limit_fails_as_soon_as_that_is_known_and_loses_nothing(bool saysHowMany) => RunPair(async (left, right) =>
    {
        ValueTask<string> read = right.ReadMessageAsync((ReadOnlySpan<byte> data, out int consumed, out string message, out int needed) =>
        {
            bool isWhole = Parse(data, out consumed, out message, out needed);
            if (!saysHowMany) needed = 0;
            return isWhole;
        }, maxBytes: 4);
        string sent = saysHowMany ? "\u0004" : "\u0004fou";
        await left.WriteAsync(Bytes(sent));
        UnsatisfiableReadException error = await AssertFails<UnsatisfiableReadException>(read);
        Assert.Contains("4 bytes", error.Message, StringComparison.Ordinal);
        Assert.False(right.IsClosed);
        await left.WriteAsync(Bytes("\u0004four"[sent.Length..]));
        Assert.Equal("four", await right.ReadMessageAsync<string>(Parse));
    });

    [Fact]
    public void A_message_longer_than_the_buffer_may_become_closes_the_stream() => RunPair(async (left, right) =>
    {
        await left.WriteAsync("\u00ffx"u8);
        StreamClosedException error = await AssertFails<StreamClosedException>(right.ReadMessageAsync<string>(Parse));
        Assert.IsType<StreamBufferFullException>(error.InnerException);
        Assert.Same(error.InnerException, right.Error);
    }, new IOStreamOptions { MaxBufferSize = 100 });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_end_inside_a_message_says_how_much_was_there_and_leaves_it(bool isMany) => RunPair(async (left, right) =>
    {
        Task write = WriteAndClose(left, "\u0004fou");
        StreamClosedException error = isMany
            ? await AssertFails<StreamClosedException>(right.ReadMessagesAsync<string>(Parse, static _ => true))
            : await AssertFails<StreamClosedException>(right.ReadMessageAsync<string>(Parse));
        Assert.Equal(CloseReason.EndOfStream, error.Reason);
        Assert.IsType<EndOfStreamException>(error.InnerException);
        Assert.Contains("4 bytes", error.Message, StringComparison.Ordinal);
        await AssertReads("\u0004fou", right.ReadUntilCloseAsync());
        await write;
    });

    [Fact]
    public void An_end_between_messages_is_an_end_like_any_other() => RunPair(async (left, right) =>
    {
        Task write = WriteAndClose(left, "\u0003one");
        Assert.Equal("one", await right.ReadMessageAsync<string>(Parse));
        StreamClosedException error = await AssertFails<StreamClosedException>(right.ReadMessageAsync<string>(Parse));
        Assert.Equal(CloseReason.EndOfStream, error.Reason);
        Assert.Null(error.InnerException);
        await write;
    });

    [Fact]
    public void A_parser_that_throws_fails_its_read_and_nothing_is_taken() => RunPair(async (left, right) =>
    {
        await Buffer(left, right, "\u0003one\u0003bad");
        List<string> found = [];
        ValueTask<bool> read = right.ReadMessagesAsync(ParseStrictly, Gather(found));
        await AssertFails<FormatException>(read);
        Assert.Equal(["one"], found);
        await AssertFails<FormatException>(right.ReadMessageAsync<string>(ParseStrictly));
        await AssertReads("\u0003bad", right.ReadBytesAsync(4));
    });

    [Theory]
    [MemberData(nameof(BrokenAnswers))]
    public void An_answer_that_cannot_be_fails_its_read_and_nothing_is_taken(bool isWhole, int consumed, int needed, bool isMany) => RunPair(async (left, right) =>
    {
        await Buffer(left, right, "data");
        InvalidOperationException error = isMany
            ? await AssertFails<InvalidOperationException>(right.ReadMessagesAsync<int>(Answer, static _ => true))
            : await AssertFails<InvalidOperationException>(right.ReadMessageAsync<int>(Answer));
        Assert.Contains("parser returned", error.Message, StringComparison.Ordinal);
        Assert.False(right.IsClosed);
        await AssertReads("data", right.ReadBytesAsync(4));
        Task waiting = isMany
            ? right.ReadMessagesAsync<int>(Answer, static _ => true).AsTask()
            : right.ReadMessageAsync<int>(Answer).AsTask();
        await left.WriteAsync("more"u8);
        await Assert.ThrowsAsync<InvalidOperationException>(() => waiting);
        await AssertReads("more", right.ReadBytesAsync(4));

        bool Answer(ReadOnlySpan<byte> data, out int taken, out int message, out int missing)
        {
            (taken, message, missing) = (consumed, 0, needed);
            return isWhole;
        }
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Messages_are_handed_over_until_the_handler_has_enough_or_the_stream_ends(bool isBuffered) => RunPair(async (left, right) =>
    {
        const string Data = "\u0001a\0\u0003end\u0001b\u0001c";
        if (isBuffered) await Buffer(left, right, Data);
        List<string> found = [];
        ValueTask<bool> read = right.ReadMessagesAsync<List<string>, string>(Parse, found, static (message, found) =>
        {
            found.Add(message);
            return message != "end";
        });
        if (!isBuffered) await left.WriteAsync(Bytes(Data));
        Assert.True(await read);
        Assert.Equal(["a", "", "end"], found);
        Task close = left.CloseAsync().AsTask();
        Assert.False(await right.ReadMessagesAsync(Parse, Gather(found)));
        Assert.Equal(["a", "", "end", "b", "c"], found);
        Assert.False(await right.ReadMessagesAsync(Parse, Gather(found)));
        await close;
    });

    [Fact]
    public void Messages_can_be_spans_of_the_streams_own_buffer() => RunPair(async (left, right) =>
    {
        List<string> found = [];
        ValueTask<bool> read = right.ReadMessagesAsync<ReadOnlySpan<byte>>(ParseInPlace, message =>
        {
            found.Add(Text(message));
            return found.Count < 3;
        });
        foreach (string part in (string[])["\u0003o", "ne\u0003two\u0005", "three"]) await SendAlone(left, Bytes(part));
        Assert.True(await read);
        Assert.Equal(["one", "two", "three"], found);
    });

    [Fact]
    public void A_handler_that_throws_fails_its_read_and_its_message_counts_as_read() => RunPair(async (left, right) =>
    {
        await Buffer(left, right, "\u0003one\u0003bad\u0003two");
        await AssertFails<FormatException>(right.ReadMessagesAsync<string>(Parse, static message => message == "bad" ? throw new FormatException("bad") : true));
        Assert.Equal("two", await right.ReadMessageAsync<string>(Parse));
    });

    [Fact]
    public void A_parser_cannot_read_from_its_own_stream_and_may_close_it() => RunPair(async (left, right) =>
    {
        await Buffer(left, right, "\u0003one");
        ValueTask<string> read = right.ReadMessageAsync((ReadOnlySpan<byte> data, out int consumed, out string message, out int needed) =>
        {
            Assert.IsType<InvalidOperationException>(right.ReadMessageAsync<string>(Parse).AsTask().Exception?.InnerException);
            right.Close();
            return Parse(data, out consumed, out message, out needed);
        });
        Assert.Equal("one", await read);
        Assert.True(right.IsClosed);
    });

    [Fact]
    public void A_message_that_waits_is_the_one_read_that_the_stream_takes() => RunPair(async (left, right) =>
    {
        ValueTask<string> read = right.ReadMessageAsync<string>(Parse);
        Assert.True(right.IsReading);
        await AssertFails<InvalidOperationException>(right.ReadMessagesAsync<string>(Parse, static _ => true));
        Assert.Throws<InvalidOperationException>(() => right.ReadBytes(1, static _ => { }));
        await left.WriteAsync("\u0003one"u8);
        Assert.Equal("one", await read);
    });

    [Fact]
    public void Arguments_are_checked_at_the_call() => RunPair((left, right) =>
    {
        Assert.Throws<ArgumentNullException>(() => { _ = right.ReadMessageAsync<string>(null!); });
        Assert.Throws<ArgumentNullException>(() => { _ = right.ReadMessageAsync<int, string>(1, null!); });
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = right.ReadMessageAsync<string>(Parse, maxBytes: 0); });
        Assert.Throws<ArgumentNullException>(() => { _ = right.ReadMessagesAsync<string>(null!, static _ => true); });
        Assert.Throws<ArgumentNullException>(() => { _ = right.ReadMessagesAsync<string>(Parse, null!); });
        Assert.Throws<ArgumentNullException>(() => { _ = right.ReadMessagesAsync<int, string>(Parse, 1, null!); });
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = right.ReadMessagesAsync<string>(Parse, static _ => true, maxBytes: -1); });
        return Task.CompletedTask;
    });

    private static bool Parse(ReadOnlySpan<byte> data, out int consumed, out string message, out int needed)
    {
        bool isWhole = ParseInPlace(data, out consumed, out ReadOnlySpan<byte> body, out needed);
        message = Text(body);
        return isWhole;
    }

    private static bool ParseBehind(ReadOnlySpan<byte> data, string prefix, out int consumed, out string message, out int needed)
    {
        bool isWhole = Parse(data, out consumed, out message, out needed);
        message = prefix + message;
        return isWhole;
    }

    private static bool ParseInPlace(ReadOnlySpan<byte> data, out int consumed, out ReadOnlySpan<byte> message, out int needed)
    {
        int length = 1 + data[0];
        bool isWhole = data.Length >= length;
        message = isWhole ? data[1..length] : default;
        consumed = isWhole ? length : 0;
        needed = length - data.Length;
        return isWhole;
    }

    private static bool ParseStrictly(ReadOnlySpan<byte> data, out int consumed, out string message, out int needed) =>
        Parse(data, out consumed, out message, out needed) && message == "bad" ? throw new FormatException("bad") : consumed > 0;

    private static Func<string, bool> Gather(List<string> found) => message =>
    {
        found.Add(message);
        return true;
    };
}
