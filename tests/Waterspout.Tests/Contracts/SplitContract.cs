namespace Waterspout.Tests;

/// <summary>Pieces between delimiters, handed over in the stream's own buffer.</summary>
[Contract(Aspects.Receiving)]
public sealed class SplitContract : StreamContract
{
    [Theory]
    [InlineData("a,b,,c,", "a|b||c")]
    [InlineData("a,b,,rest", "a|b||rest")]
    [InlineData("", "")]
    public void The_pieces_come_without_the_delimiter_until_the_stream_ends(string data, string pieces) => RunPair(async (left, right) =>
    {
        Task write = WriteAndClose(left, data);
        List<string> found = [];
        Assert.False(await right.SplitAsync(","u8, Gather(found)));
        Assert.Equal(pieces, string.Join('|', found));
        Assert.False(await right.SplitAsync(","u8, Gather(found)));
        await write;
    });

    [Fact]
    public void A_delimiter_given_as_a_span_is_copied_by_the_call() => RunPair(async (left, right) =>
    {
        byte[] delimiter = [(byte)','];
        IAsyncEnumerable<byte[]> pieces = right.SplitAsync(delimiter.AsSpan());
        delimiter[0] = (byte)'b';
        Task write = WriteAndClose(left, "a,b,rest");
        List<string> found = [];
        await foreach (byte[] piece in pieces) found.Add(Text(piece));
        Assert.Equal(["a", "b", "rest"], found);
        await write;
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_handler_that_returns_false_ends_the_read_after_its_piece(bool isBuffered) => RunPair(async (left, right) =>
    {
        if (isBuffered) await Buffer(left, right, "a, b, rest");
        List<string> found = [];
        ValueTask<bool> read = right.SplitAsync(", "u8, piece =>
        {
            found.Add(Text(piece));
            return found[^1] != "b";
        });
        if (!isBuffered) await left.WriteAsync("a, b, rest"u8);
        Assert.True(await read);
        Assert.Equal(["a", "b"], found);
        await AssertReads("rest", right.ReadBytesAsync(4));
    });

    [Fact]
    public void A_state_reaches_the_handler() => RunPair(async (left, right) =>
    {
        List<string> found = [];
        for (int i = 0; i < 2; i++)
        {
            ValueTask<bool> read = right.SplitAsync(","u8, found, static (piece, found) =>
            {
                found.Add(Text(piece));
                return found.Count % 2 > 0;
            });
            await left.WriteAsync("a,b,"u8);
            Assert.True(await read);
        }

        Assert.Equal(["a", "b", "a", "b"], found);
    });

    [Fact]
    public void A_delimiter_that_comes_in_parts_is_found() => RunPair(async (left, right) =>
    {
        List<string> found = [];
        ValueTask<bool> read = right.SplitAsync("<>!"u8, Gather(found));
        foreach (string part in (string[])["one<", ">", "!two<>", "!<>!thr", "ee"])
            await SendAlone(left, Bytes(part));
        await WriteAndClose(left, "<>!");
        Assert.False(await read);
        Assert.Equal(["one", "two", "", "three"], found);
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_handler_that_throws_fails_its_read_and_its_piece_counts_as_read(bool isBuffered) => RunPair(async (left, right) =>
    {
        if (isBuffered) await Buffer(left, right, "good,bad,rest");
        ValueTask<bool> read = right.SplitAsync(","u8, static piece => Text(piece) == "bad" ? throw new FormatException("bad") : true);
        if (!isBuffered) await left.WriteAsync("good,bad,rest"u8);
        await AssertFails<FormatException>(read);
        await AssertReads("rest", right.ReadBytesAsync(4));
    });

    [Fact]
    public void A_handler_that_throws_at_the_last_piece_fails_its_read() => RunPair(async (left, right) =>
    {
        Task write = WriteAndClose(left, "good,bad");
        await AssertFails<FormatException>(right.SplitAsync(","u8, static piece => Text(piece) == "bad" ? throw new FormatException("bad") : true));
        await write;
    });

    [Fact]
    public void A_handler_cannot_read_from_its_own_stream() => RunPair(async (left, right) =>
    {
        ValueTask<bool> read = right.SplitAsync(","u8, _ =>
        {
            Assert.True(right.IsReading);
            return right.ReadBytesAsync(1).AsTask().Exception is null;
        });
        await left.WriteAsync("ab,c"u8);
        Assert.True(await read);
        await AssertReads("c", right.ReadBytesAsync(1));
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_handler_may_close_the_stream(bool inOrder) => RunPair(async (left, right) =>
    {
        List<string> found = [];
        Task? closing = null;
        ValueTask<bool> read = right.SplitAsync(","u8, piece =>
        {
            found.Add(Text(piece));
            if (found.Count == 1 && inOrder) closing = right.CloseAsync().AsTask();
            else if (found.Count == 1) right.Close();
            return true;
        });
        await left.WriteAsync("a,"u8);
        await AssertFails<StreamClosedException>(read);
        Assert.Equal(["a"], found);
        await left.CloseAsync();
        if (closing is not null) await closing;
        Assert.Equal(CloseReason.Local, right.CloseReason);
    });

    [Fact]
    public void A_cancelled_split_loses_nothing() => RunPair(async (left, right) =>
    {
        using CancellationTokenSource cancellation = new();
        List<string> found = [];
        ValueTask<bool> read = right.SplitAsync(","u8, piece =>
        {
            found.Add(Text(piece));
            cancellation.Cancel();
            return true;
        }, cancellationToken: cancellation.Token);
        await left.WriteAsync("a,re"u8);
        await AssertFails<OperationCanceledException>(read);
        await left.WriteAsync("st"u8);
        await AssertReads("rest", right.ReadBytesAsync(4));
        Assert.Equal(["a"], found);
    });

    [Fact]
    public void A_piece_beyond_the_limit_fails_the_read_and_the_pieces_before_it_count_as_read() => RunPair(async (left, right) =>
    {
        await left.WriteAsync("a,much too long,b"u8);
        List<string> found = [];
        await AssertFails<UnsatisfiableReadException>(right.SplitAsync(","u8, Gather(found), maxBytes: 5));
        Assert.Equal(["a"], found);
        await AssertReads("much too long,", right.ReadUntilAsync(","u8));
    });

    [Fact]
    public void Arguments_are_checked_at_the_call() => RunPair((left, right) =>
    {
        Assert.Throws<ArgumentException>(() => { _ = right.SplitAsync([], static _ => true); });
        Assert.Throws<ArgumentNullException>(() => { _ = right.SplitAsync(","u8, null!); });
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = right.SplitAsync(","u8, static _ => true, maxBytes: 0); });
        return Task.CompletedTask;
    });

    private static Func<ReadOnlySpan<byte>, bool> Gather(List<string> found) => piece =>
    {
        found.Add(Text(piece));
        return true;
    };
}
