namespace Waterspout.Tests;

/// <summary>The zero-copy forms: a parser gets the stream's own buffer.</summary>
[Contract(Aspects.Receiving)]
public sealed class ParserContract : StreamContract
{
    // A line, and a frame of a byte's length.
    private const string Bad = "\u0004bad\n";

    public static MatrixTheoryData<string, string> FormsAndArrivals => new(
        ["bytes", "bytes, state", "until", "until, state", "any", "any, state", "frame", "frame, state", "split", "split, state",
            "message", "message, state", "messages"],
        ["buffered", "arriving", "other thread"]);

    [Fact]
    public void A_parser_gets_the_bytes_and_makes_the_result() => RunPair(async (left, right) =>
    {
        await Buffer(left, right, "12 34 56");
        Assert.Equal(12, await right.ReadUntilAsync(" "u8, static data => int.Parse(Text(data[..^1]))));
        Assert.Equal(34, await right.ReadBytesAsync(3, static data => int.Parse(Text(data[..^1]))));
        ValueTask<string> waiting = right.ReadBytesAsync(4, static data => Text(data));
        await left.WriteAsync("78"u8);
        Assert.Equal("5678", await waiting);
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_state_reaches_the_parser(bool isBuffered) => RunPair(async (left, right) =>
    {
        if (isBuffered) await Buffer(left, right, "one two");
        ValueTask<string> read = right.ReadUntilAsync(" "u8, "<", static (data, prefix) => prefix + Text(data));
        if (!isBuffered) await left.WriteAsync("one two"u8);
        Assert.Equal("<one ", await read);
        Assert.Equal(">two", await right.ReadBytesAsync(3, ">", static (data, prefix) => prefix + Text(data)));
        read = right.ReadBytesAsync(3, "again ", static (data, prefix) => prefix + Text(data));
        await left.WriteAsync("one"u8);
        Assert.Equal("again one", await read);
    });

    [Fact]
    public void Calls_without_a_state_mean_what_they_did() => RunPair(async (left, right) =>
    {
        await Buffer(left, right, "one,two,three,");
        Func<ReadOnlySpan<byte>, int> parse = static data => data.Length;
        Func<ReadOnlySpan<byte>, bool> handle = static _ => false;
        Assert.Equal(3, await right.ReadBytesAsync(3, parse, default));
        Assert.Equal(1, await right.ReadUntilAsync(","u8, parse, null));
        Assert.True(await right.SplitAsync(","u8, handle, null));
        await foreach (byte[] piece in right.SplitAsync(","u8, 100, default))
        {
            Assert.Equal("three", Text(piece));
            break;
        }
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_parser_that_throws_fails_its_read_only(bool isBuffered) => RunPair(async (left, right) =>
    {
        if (isBuffered) await Buffer(left, right, "bad\ngood\n");
        ValueTask<int> read = right.ReadUntilAsync<int>("\n"u8, static _ => throw new FormatException("bad"));
        if (!isBuffered) await left.WriteAsync("bad\ngood\n"u8);
        await AssertFails<FormatException>(read);
        await AssertReads("good\n", right.ReadUntilAsync("\n"u8));
    });

    [Theory]
    [MemberData(nameof(FormsAndArrivals))]
    public void Every_form_survives_a_parser_that_throws(string form, string arrival) => RunPair(async (left, right) =>
    {
        if (arrival != "arriving") await Buffer(left, right, Bad);
        Task read = arrival == "other thread" ? Task.Run(() => ReadBad(right, form)) : ReadBad(right, form);
        if (arrival == "arriving") await left.WriteAsync(Bytes(Bad));
        await Assert.ThrowsAsync<FormatException>(() => read);
        Assert.False(right.IsClosed);
        Assert.False(right.IsReading);
        // What was framed counts as read. A parser that does the framing has taken nothing.
        if (form.StartsWith("message", StringComparison.Ordinal)) await AssertReads(Bad, right.ReadBytesAsync(Bad.Length));
        await left.WriteAsync("good\n"u8);
        Assert.Equal("good", await right.ReadLineAsync());
    });

    [Fact]
    public void A_parser_cannot_read_from_its_own_stream() => RunPair(async (left, right) =>
    {
        await Buffer(left, right, "ab");
        await AssertFails<InvalidOperationException>(right.ReadBytesAsync(1, _ => right.ReadBytesAsync(1).GetAwaiter().GetResult().Length));
        await AssertReads("b", right.ReadBytesAsync(1));
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_parser_may_close_the_stream_and_its_read_still_has_its_result(bool isBuffered) => RunPair(async (left, right) =>
    {
        if (isBuffered) await Buffer(left, right, "line\nrest");
        Task closed = WhenClosed(right);
        ValueTask<string> read = right.ReadUntilAsync("\n"u8, data =>
        {
            right.Close();
            return Text(data);
        });
        if (!isBuffered) await left.WriteAsync("line\nrest"u8);
        Assert.Equal("line\n", await read);
        await closed;
        await AssertFails<StreamClosedException>(right.ReadBytesAsync(5));
        if (isBuffered) await AssertReads("rest", right.ReadBytesAsync(4));
    });

    private static Task ReadBad(BaseIOStream stream, string form) => form switch
    {
        "bytes" => stream.ReadBytesAsync(Bad.Length, Fail).AsTask(),
        "bytes, state" => stream.ReadBytesAsync(Bad.Length, 1, static (data, _) => Fail(data)).AsTask(),
        "until" => stream.ReadUntilAsync("\n"u8, Fail).AsTask(),
        "until, state" => stream.ReadUntilAsync("\n"u8, 1, static (data, _) => Fail(data)).AsTask(),
        "any" => stream.ReadUntilAnyAsync([Bytes("\n")], static (data, _) => Fail(data)).AsTask(),
        "any, state" => stream.ReadUntilAnyAsync([Bytes("\n")], 1, static (data, _, _) => Fail(data)).AsTask(),
        "frame" => stream.ReadFrameAsync(new FrameLength(1), Fail).AsTask(),
        "frame, state" => stream.ReadFrameAsync(new FrameLength(1), 1, static (data, _) => Fail(data)).AsTask(),
        "split" => stream.SplitAsync("\n"u8, Fail).AsTask(),
        "split, state" => stream.SplitAsync("\n"u8, 1, static (data, _) => Fail(data)).AsTask(),
        "message" => stream.ReadMessageAsync<bool>(FailWhole).AsTask(),
        "message, state" => stream.ReadMessageAsync<int, bool>(1, FailWhole).AsTask(),
        _ => stream.ReadMessagesAsync<bool>(FailWhole, static _ => true).AsTask(),
    };

    private static bool Fail(ReadOnlySpan<byte> data) => throw new FormatException($"{data.Length} bad bytes");

    private static bool FailWhole(ReadOnlySpan<byte> data, int state, out int consumed, out bool message, out int needed) =>
        FailWhole(data, out consumed, out message, out needed);

    private static bool FailWhole(ReadOnlySpan<byte> data, out int consumed, out bool message, out int needed)
    {
        (consumed, message, needed) = (0, false, 0);
        return data.Length >= Bad.Length && Fail(data);
    }
}
