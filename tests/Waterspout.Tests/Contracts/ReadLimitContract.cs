namespace Waterspout.Tests;

/// <summary>Reads that exceed their <c>maxBytes</c>: the read fails, and by default nothing else happens.</summary>
[Contract(Aspects.Limits)]
public sealed class ReadLimitContract : StreamContract
{
    private const int Most = 4;

    // One byte is the length of a message and of a frame: "\u0009" announces nine.
    private const string TooLong = "\u0009 too long";

    private static readonly IOStreamOptions s_close = new() { OnReadLimit = ReadLimitAction.Close };

    public static TheoryData<string> Kinds =>
        ["until", "parsed", "regex", "any", "line", "message", "messages", "frame", "split", "pieces"];

    public static MatrixTheoryData<string, string> KindsAndArrivals =>
        new(Kinds.Select(kind => kind.Data), ["buffered", "arriving", "other thread"]);

    [Theory]
    [MemberData(nameof(KindsAndArrivals))]
    public void A_read_that_exceeds_its_limit_fails_alone_and_consumes_nothing(string kind, string arrival) => RunPair(async (left, right) =>
    {
        Task read = ReadTooLong(left, right, kind, arrival);
        UnsatisfiableReadException error = await Assert.ThrowsAsync<UnsatisfiableReadException>(() => read);
        Assert.Contains($"{Most} bytes", error.Message, StringComparison.Ordinal);
        Assert.False(right.IsClosed);
        Assert.Null(right.Error);
        Assert.Equal(CloseReason.None, right.CloseReason);
        await Assert.ThrowsAsync<UnsatisfiableReadException>(() => Read(right, kind));
        await left.WriteAsync("\nnext\n"u8);
        await AssertReads(TooLong + "\n", right.ReadUntilAsync("\n"u8));
        Assert.Equal("next", await right.ReadLineAsync(maxBytes: 5));
    });

    [Theory]
    [MemberData(nameof(KindsAndArrivals))]
    public void With_the_option_it_closes_the_stream_and_the_data_stays(string kind, string arrival) => RunPair(async (left, right) =>
    {
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(() => ReadTooLong(left, right, kind, arrival));
        Assert.IsType<UnsatisfiableReadException>(error.InnerException);
        Assert.Equal(CloseReason.Error, error.Reason);
        Assert.True(right.IsClosed);
        Assert.Same(error.InnerException, right.Error);
        await AssertReads(TooLong, right.ReadBytesAsync(TooLong.Length));
    }, s_close);

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_peer_that_has_closed_changes_nothing(string kind) => RunPair(async (left, right) =>
    {
        await Buffer(left, right, TooLong);
        left.Close();
        await WhenEndIsTold(right);
        await Assert.ThrowsAsync<UnsatisfiableReadException>(() => Read(right, kind));
        right.Close();
        await Assert.ThrowsAsync<UnsatisfiableReadException>(() => Read(right, kind));
        await AssertReads(TooLong, right.ReadBytesAsync(TooLong.Length));
    });

    [Theory]
    [InlineData("until", true)]
    [InlineData("until", false)]
    [InlineData("regex", true)]
    [InlineData("regex", false)]
    public void A_callback_form_closes_the_stream_whatever_the_option_says(string kind, bool isBuffered) => RunPair(async (left, right) =>
    {
        if (isBuffered) await Buffer(left, right, TooLong);
        Task closed = WhenClosed(right);
        if (kind == "until") right.ReadUntil("\n"u8, static _ => Assert.Fail("There is no line."), Most);
        else right.ReadUntilRegex("\\n", static _ => Assert.Fail("There is no line."), Most);
        if (!isBuffered) await left.WriteAsync(Bytes(TooLong));
        await closed;
        Assert.IsType<UnsatisfiableReadException>(right.Error);
        Assert.Equal(CloseReason.Error, right.CloseReason);
    });

    [Fact]
    public void A_callback_form_takes_what_is_within_its_limit() => RunPair(async (left, right) =>
    {
        TaskCompletionSource<byte[]> first = new(), second = new();
        right.ReadUntil("\n"u8, first.SetResult, Most);
        await left.WriteAsync("one\ntwo\n"u8);
        await AssertReads("one\n", new ValueTask<byte[]>(first.Task));
        right.ReadUntilRegex("\\n", second.SetResult, Most);
        await AssertReads("two\n", new ValueTask<byte[]>(second.Task));
    });

    [Fact]
    public void Arguments_of_callback_forms_are_checked_at_the_call() => RunPair((_, right) =>
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => right.ReadUntil("\n"u8, static _ => { }, maxBytes: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => right.ReadUntilRegex("\\n", static _ => { }, maxBytes: -1));
        return Task.CompletedTask;
    });

    private static async Task ReadTooLong(BaseIOStream left, BaseIOStream right, string kind, string arrival)
    {
        if (arrival != "arriving") await Buffer(left, right, TooLong);
        Task read = arrival == "other thread" ? Task.Run(() => Read(right, kind)) : Read(right, kind);
        if (arrival == "arriving") await left.WriteAsync(Bytes(TooLong));
        await read;
    }

    private static async Task Read(BaseIOStream stream, string kind)
    {
        _ = kind switch
        {
            "until" => await stream.ReadUntilAsync("\n"u8, Most),
            "parsed" => await stream.ReadUntilAsync("\n"u8, static data => data.ToArray(), Most),
            "regex" => await stream.ReadUntilRegexAsync("\\n", Most),
            "any" => (await stream.ReadUntilAnyAsync([Bytes("\n"), Bytes("\r")], Most)).Data,
            "line" => Bytes((await stream.ReadLineAsync(maxBytes: Most))!),
            "message" => await stream.ReadMessageAsync<byte[]>(Parse, Most),
            "messages" => [await stream.ReadMessagesAsync<byte[]>(Parse, static _ => true, Most) ? (byte)1 : (byte)0],
            "frame" => await stream.ReadFrameAsync(new FrameLength(1), Most),
            "split" => [await stream.SplitAsync("\n"u8, static _ => true, Most) ? (byte)1 : (byte)0],
            _ => await ReadPieceAsync(stream),
        };
    }

    private static async Task<byte[]> ReadPieceAsync(BaseIOStream stream)
    {
        await foreach (byte[] piece in stream.SplitAsync(Bytes("\n"), Most)) return piece;
        return [];
    }

    private static bool Parse(ReadOnlySpan<byte> data, out int consumed, out byte[] message, out int needed)
    {
        (consumed, message, needed) = (0, [], data[0] + 1 - data.Length);
        if (needed > 0) return false;
        consumed = data[0] + 1;
        return true;
    }
}
