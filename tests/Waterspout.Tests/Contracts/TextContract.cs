using System.Text;

namespace Waterspout.Tests;

/// <summary>Lines and text.</summary>
[Contract(Aspects.Receiving)]
public sealed class TextContract : StreamContract
{
    private static readonly Encoding s_strict = new UTF8Encoding(false, throwOnInvalidBytes: true);

    [Theory]
    [InlineData("one\ntwo\r\nthree\n", "one|two|three")]
    [InlineData("\n\r\n\r\r\n", "||\r")]
    [InlineData("a\rb\nlast", "a\rb|last")]
    [InlineData("last\r", "last\r")]
    [InlineData("", null)]
    public void Lines_come_without_their_ends_until_the_stream_ends(string data, string? lines) => RunPair(async (left, right) =>
    {
        Task write = WriteAndClose(left, data);
        List<string> found = [];
        while (await right.ReadLineAsync() is { } line) found.Add(line);
        Assert.Equal(lines?.Split('|') ?? [], found);
        Assert.Null(await right.ReadLineAsync());
        await write;
    });

    [Fact]
    public void A_line_that_comes_in_parts_is_found() => RunPair(async (left, right) =>
    {
        ValueTask<string?> read = right.ReadLineAsync();
        foreach (byte value in Encoding.UTF8.GetBytes("zwölf\r")) await SendAlone(left, new[] { value });
        Assert.False(read.IsCompleted);
        await left.WriteAsync("\nnext\n"u8);
        Assert.Equal("zwölf", await read);
        Assert.Equal("next", await right.ReadLineAsync());
    });

    [Fact]
    public void An_encoding_makes_the_text() => RunPair(async (left, right) =>
    {
        await left.WriteLineAsync("zwölf", Encoding.Latin1);
        await left.WriteLineAsync("zwölf");
        Assert.Equal("zwölf", await right.ReadLineAsync(Encoding.Latin1));
        Assert.Equal("zwÃ¶lf", await right.ReadLineAsync(Encoding.Latin1));
        await left.WriteAsync("ö", Encoding.BigEndianUnicode);
        await AssertReads("\0ö", right.ReadBytesAsync(2));
    });

    [Fact]
    public void Bytes_that_are_no_text_are_replaced_or_fail_as_the_encoding_says() => RunPair(async (left, right) =>
    {
        await left.WriteAsync(Bytes("a\u00ff\na\u00ff\nb\n"));
        Assert.Equal("a\ufffd", await right.ReadLineAsync());
        await Assert.ThrowsAsync<DecoderFallbackException>(right.ReadLineAsync(s_strict).AsTask);
        Assert.Equal("b", await right.ReadLineAsync(s_strict));
    });

    [Fact]
    public void A_line_beyond_the_limit_loses_nothing_and_can_be_discarded() => RunPair(async (left, right) =>
    {
        await left.WriteAsync("four\ntoolong\nnext\nlast"u8);
        Assert.Equal("four", await right.ReadLineAsync(maxBytes: 5));
        await Assert.ThrowsAsync<UnsatisfiableReadException>(right.ReadLineAsync(maxBytes: 5).AsTask);
        Assert.False(right.IsClosed);
        Assert.Equal(8, await right.DiscardUntilAsync("\n"u8));
        Assert.Equal("next", await right.ReadLineAsync(maxBytes: 5));
        Task close = left.CloseAsync().AsTask();
        Assert.Equal("last", await right.ReadLineAsync(maxBytes: 4));
        Assert.Null(await right.ReadLineAsync(maxBytes: 4));
        await close;
    });

    [Fact]
    public void Text_is_written_as_utf8_and_a_line_with_the_end_that_the_stream_was_made_with()
    {
        RunPair(WriteBoth, null);
        RunPair(WriteBoth, new IOStreamOptions { NewLine = "\r\n" });

        static async Task WriteBoth(BaseIOStream left, BaseIOStream right)
        {
            string end = left.Options.NewLine;
            await left.WriteAsync("");
            await left.WriteLineAsync("");
            await left.WriteAsync("zwölf");
            await left.WriteLineAsync("!");
            byte[] expected = Encoding.UTF8.GetBytes($"{end}zwölf!{end}");
            AssertSame(expected, await right.ReadBytesAsync(expected.Length));
        }
    }

    [Fact]
    public void A_long_text_arrives_whole() => RunPair(async (left, right) =>
    {
        string text = string.Concat(Enumerable.Range(0, Transport.Rounds(50_000)).Select(static number => $"ä{number}"));
        Task write = left.WriteLineAsync(text).AsTask();
        Assert.Equal(text, await right.ReadLineAsync());
        await write;
    });

    [Fact]
    public void Text_that_is_too_long_for_what_may_wait_is_refused_as_a_whole() => RunPair(async (left, right) =>
    {
        await AssertFails<StreamBufferFullException>(left.WriteAsync(new string('x', 101)));
        await AssertFails<StreamBufferFullException>(left.WriteLineAsync(new string('x', 100)));
        await left.WriteLineAsync(new string('x', 99));
        Assert.Equal(99, (await right.ReadLineAsync())!.Length);
        await AssertFails<OperationCanceledException>(left.WriteAsync("x", cancellationToken: new CancellationToken(canceled: true)));
    }, new IOStreamOptions { MaxWriteBufferSize = 100 });

    [Fact]
    public void Text_that_cannot_be_written_in_the_encoding_is_refused_by_the_call() => RunPair(async (left, right) =>
    {
        Encoding ascii = Encoding.GetEncoding("us-ascii", EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback);
        Assert.Throws<EncoderFallbackException>(() => { _ = left.WriteAsync("zwölf", ascii); });
        await left.WriteLineAsync("twelve", ascii);
        Assert.Equal("twelve", await right.ReadLineAsync(ascii));
    });

    [Fact]
    public void Text_is_read_and_written_from_another_thread_too() => RunPair((left, right) => Task.Run(async () =>
    {
        await left.WriteAsync("zw");
        await left.WriteLineAsync("ölf");
        Assert.Equal("zwölf", await right.ReadLineAsync());
        Assert.False(Loop.IsCurrent);
    }));

    [Fact]
    public void Arguments_are_checked_at_the_call() => RunPair((left, right) =>
    {
        Assert.Throws<ArgumentException>(() => { _ = right.ReadLineAsync(Encoding.Unicode); });
        Assert.Throws<ArgumentException>(() => { _ = right.ReadLineAsync(Encoding.UTF32); });
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = right.ReadLineAsync(maxBytes: 0); });
        Assert.Throws<ArgumentNullException>(() => { _ = left.WriteAsync((string)null!); });
        Assert.Throws<ArgumentNullException>(() => { _ = left.WriteLineAsync(null!); });
        return Task.CompletedTask;
    });
}
