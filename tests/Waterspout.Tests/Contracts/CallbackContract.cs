using Microsoft.Extensions.Logging;

namespace Waterspout.Tests;

/// <summary>The callback forms: when they run, what they get, and what an exception in one does.</summary>
public abstract class CallbackContract(Transport transport, PollerKind poller) : StreamContract(transport, poller)
{
    [Fact]
    public void A_callback_never_runs_within_the_call_that_registered_it() => RunPair(async (left, right) =>
    {
        await Buffer(left, right, "abc\ndef\nrest");
        await Expect("abc\n", callback => right.ReadUntil("\n"u8, callback));
        await Expect("def\n", callback => right.ReadUntilRegex("\\n", callback));
        await Expect("re", callback => right.ReadBytes(2, callback));
        await Expect("", callback => right.ReadBytes(0, callback));
        _ = left.CloseAsync();
        await Expect("st", callback => right.ReadUntilClose(callback));

        static async Task Expect(string expected, Action<Action<byte[]>> read)
        {
            TaskCompletionSource<byte[]> result = new();
            read(result.SetResult);
            Assert.False(result.Task.IsCompleted);
            Assert.Equal(expected, Text(await result.Task));
        }
    });

    [Fact]
    public void A_callback_comes_with_the_data_that_arrives_later() => RunPair(async (left, right) =>
    {
        TaskCompletionSource<byte[]> result = new();
        right.ReadUntil("\n"u8, result.SetResult);
        Assert.True(right.IsReading);
        await SendAlone(left, Bytes("li"));
        Assert.False(result.Task.IsCompleted);
        await left.WriteAsync("ne\nrest"u8);
        Assert.Equal("line\n", Text(await result.Task));
        await AssertReads("rest", right.ReadBytesAsync(4));
    });

    [Fact]
    public void A_streaming_callback_gets_the_data_and_the_last_callback_nothing() => RunPair(async (left, right) =>
    {
        List<byte> data = [];
        TaskCompletionSource<byte[]> end = new();
        right.ReadBytes(10, end.SetResult, data.AddRange);
        await SendAlone(left, Bytes("0123"));
        await Turns(2);
        Assert.Equal("0123", Text(data.ToArray()));
        await left.WriteAsync("456789rest"u8);
        Assert.Empty(await end.Task);
        Assert.Equal("0123456789", Text(data.ToArray()));

        data.Clear();
        end = new TaskCompletionSource<byte[]>();
        right.ReadUntilClose(end.SetResult, data.AddRange);
        await left.WriteAsync(" of it"u8);
        _ = left.CloseAsync();
        Assert.Empty(await end.Task);
        Assert.Equal("rest of it", Text(data.ToArray()));
    });

    [Fact]
    public void A_write_callback_comes_when_everything_is_sent_and_a_newer_one_replaces_it() => RunPair(async (left, right) =>
    {
        byte[] data = new byte[24_000_000];
        TaskCompletionSource sent = new();
        left.Write(data, () => Assert.Fail("It was replaced."));
        left.Write("x"u8, sent.SetResult);
        left.Write("y"u8);
        await Turns(3);
        Assert.False(sent.Task.IsCompleted);
        await right.ReadIntoAsync(new byte[data.Length]);
        await sent.Task;
        await AssertReads("xy", right.ReadBytesAsync(2));

        bool isSent = false;
        left.Write([], () => isSent = true);
        Assert.False(isSent);
        await Turns(3);
        Assert.True(isSent);
    });

    [Fact]
    public void A_callback_that_waits_does_not_run_after_the_close_and_the_close_callback_does() => RunPair(async (left, right) =>
    {
        ExpectUnsent();
        Task closed = WhenClosed(right);
        right.ReadBytes(50_000_000, _ => Assert.Fail("There is not as much."));
        left.Write(new byte[24_000_000], () => Assert.Fail("It cannot be sent."));
        left.Close();
        await closed;
        await Turns(3);
    }, new IOStreamOptions { MaxBufferSize = 100_000_000 });

    [Fact]
    public void Errors_of_the_call_are_thrown_by_it() => RunPair((left, right) =>
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => right.ReadBytes(-1, _ => { }));
        Assert.Throws<ArgumentNullException>(() => right.ReadBytes(1, null!));
        Assert.Throws<ArgumentException>(() => right.ReadUntil([], _ => { }));
        Assert.Throws<ArgumentNullException>(() => right.ReadUntil("x"u8, null!));
        Assert.Throws<ArgumentNullException>(() => right.ReadUntilRegex("x", null!));
        Assert.Throws<ArgumentNullException>(() => right.ReadUntilClose(null!));
        right.ReadBytes(1, _ => { });
        Assert.Throws<InvalidOperationException>(() => right.ReadBytes(1, _ => { }));
        Assert.Throws<InvalidOperationException>(() => right.ReadBytes(1, _ => { }, _ => { }));
        Assert.Throws<InvalidOperationException>(() => right.ReadUntil("x"u8, _ => { }));
        right.Close();
        Assert.Throws<StreamClosedException>(() => right.ReadBytes(1, _ => { }));
        return Task.CompletedTask;
    });

    [Theory]
    [InlineData("buffered")]
    [InlineData("later")]
    [InlineData("streaming")]
    [InlineData("write")]
    public void A_callback_that_throws_is_logged_and_closes_its_stream_only(string kind)
    {
        ExpectLog("A callback of");
        RunPair(async (left, right) =>
        {
            (BaseIOStream otherLeft, BaseIOStream otherRight) = await Transport.ConnectAsync(null);
            FormatException thrown = new("thrown by a test");
            BaseIOStream stream = kind == "write" ? left : right;
            Task closed = WhenClosed(stream);
            if (kind == "buffered") await Buffer(left, right, "x");
            if (kind == "write") left.Write("x"u8, () => throw thrown);
            else if (kind == "streaming") right.ReadBytes(2, _ => Assert.Fail("The stream is closed."), _ => throw thrown);
            else right.ReadBytes(1, _ => throw thrown);
            if (kind is "later" or "streaming") await left.WriteAsync("xy"u8);
            await closed;
            Assert.Same(thrown, stream.Error);
            Assert.Equal(CloseReason.Error, stream.CloseReason);
            Assert.Equal(LogLevel.Debug, CloseLine(stream).Level);

            await otherLeft.WriteAsync("lives"u8);
            await AssertReads("lives", otherRight.ReadBytesAsync(5));
        });
    }

    [Fact]
    public void A_callback_may_close_the_stream_or_read_again() => RunPair(async (left, right) =>
    {
        List<string> lines = [];
        Task closed = WhenClosed(right);
        right.ReadUntil("\n"u8, Read);
        await left.WriteAsync("1\n2\n3\n4\n"u8);
        await closed;
        Assert.Equal(["1\n", "2\n", "3\n"], lines);
        Assert.Equal(CloseReason.Local, right.CloseReason);

        void Read(byte[] line)
        {
            lines.Add(Text(line));
            if (lines.Count == 3) right.Close();
            else right.ReadUntil("\n"u8, Read);
        }
    });
}
