using Microsoft.Extensions.Logging;

namespace Waterspout.Tests;

/// <summary>The callback forms: when they run, what they get, and what an exception in one does.</summary>
[Contract(Aspects.Use)]
public sealed class CallbackContract : StreamContract
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
        byte[] data = new byte[Transport.MoreThanTheKernelTakes];
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
        left.Write(new byte[Transport.MoreThanTheKernelTakes], () => Assert.Fail("It cannot be sent."));
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
    [InlineData("close")]
    public void The_execution_context_does_not_flow_into_a_callback(string kind) => RunPair(async (left, right) =>
    {
        AsyncLocal<string?> local = new();
        TaskCompletionSource<string?> seen = new();
        if (kind == "buffered") await Buffer(left, right, "x");
        local.Value = "the caller's";
        if (kind == "write") left.Write("x"u8, () => seen.TrySetResult(local.Value));
        else if (kind == "streaming") right.ReadBytes(1, _ => { }, _ => seen.TrySetResult(local.Value));
        else if (kind == "close") right.SetCloseCallback(() => seen.TrySetResult(local.Value));
        else right.ReadBytes(1, _ => seen.TrySetResult(local.Value));
        if (kind is "later" or "streaming") await left.WriteAsync("x"u8);
        if (kind == "close") right.Close();
        Assert.Null(await seen.Task);
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

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_streaming_read_is_one_read_from_its_first_piece_to_its_last(bool hasCount) => RunPair(async (left, right) =>
    {
        List<byte> data = [];
        List<bool> wasReading = [];
        TaskCompletionSource<byte[]> end = new();
        if (hasCount) right.ReadBytes(6, end.SetResult, Take);
        else right.ReadUntilClose(end.SetResult, Take);
        foreach (string piece in (string[])["123", "456"])
        {
            await SendAlone(left, Bytes(piece));
            do await Turn();
            while (data.Count % 3 != 0);
            if (!hasCount || data.Count < 6) await AssertRefusesReads(right);
        }

        if (!hasCount) _ = left.CloseAsync();
        Assert.Empty(await end.Task);
        Assert.Equal("123456", Text(data.ToArray()));
        Assert.DoesNotContain(false, wasReading);
        Assert.False(right.IsReading);

        void Take(byte[] piece)
        {
            data.AddRange(piece);
            wasReading.Add(right.IsReading);
            Assert.Throws<InvalidOperationException>(() => right.ReadBytes(1, _ => { }));
        }
    });

    private static async Task AssertRefusesReads(BaseIOStream stream)
    {
        Assert.True(stream.IsReading);
        await AssertFails<InvalidOperationException>(stream.ReadBytesAsync(1));
        await AssertFails<InvalidOperationException>(stream.ReadUntilAsync("1"u8));
        Assert.Throws<InvalidOperationException>(() => stream.ReadUntilClose(_ => { }));
        Assert.Throws<InvalidOperationException>(() => stream.ReadBytes(1, _ => { }, _ => { }));
        Assert.Throws<InvalidOperationException>(() => stream.ReadUntilClose(_ => { }, _ => { }));
    }

    [Fact]
    public void A_streaming_read_of_a_closed_stream_is_refused_where_the_buffer_cannot_satisfy_it() => RunPair(async (left, right) =>
    {
        await Buffer(left, right, "abc");
        right.Close();
        Assert.Throws<StreamClosedException>(() => right.ReadBytes(4, _ => { }, _ => { }));
        Assert.Throws<StreamClosedException>(() => right.ReadUntilClose(_ => { }, _ => { }));
        TaskCompletionSource<byte[]> end = new();
        List<byte> data = [];
        right.ReadBytes(3, end.SetResult, data.AddRange);
        await end.Task;
        Assert.Equal("abc", Text(data.ToArray()));
    });

    [Fact]
    public void The_end_is_returned_once_in_pieces_too() => RunPair(async (left, right) =>
    {
        List<byte> data = [];
        TaskCompletionSource<byte[]> end = new();
        right.ReadUntilClose(end.SetResult, data.AddRange);
        await WriteAndClose(left, "all");
        await end.Task;
        Assert.Equal("all", Text(data.ToArray()));
        Assert.Throws<StreamClosedException>(() => right.ReadUntilClose(_ => { }, _ => { }));
        Assert.Throws<StreamClosedException>(() => right.ReadUntilClose(_ => { }));
    });

    [Fact]
    public void Another_threads_call_gets_its_errors_too() => RunPair(async (left, right) =>
    {
        TaskCompletionSource<byte[]> result = new();
        await Task.Run(() =>
        {
            right.ReadUntil("\n"u8, result.SetResult);
            Assert.True(right.IsReading);
            Assert.Throws<InvalidOperationException>(() => right.ReadBytes(1, _ => { }));
            Assert.Throws<InvalidOperationException>(() => right.ReadUntilClose(_ => { }, _ => { }));
        });
        await left.WriteAsync("line\n"u8);
        Assert.Equal("line\n", Text(await result.Task));
        right.Close();
        await left.CompleteWritesAsync();
        await Task.Run(() =>
        {
            Assert.Throws<StreamClosedException>(() => right.ReadBytes(1, _ => { }));
            Assert.Throws<StreamClosedException>(() => right.ReadUntilClose(_ => { }));
            Assert.Throws<StreamClosedException>(() => right.Write("x"u8));
            // The peer's EOF may close this stream meanwhile.
            Exception? refused = Record.Exception(() => left.Write("x"u8));
            Assert.True(refused is InvalidOperationException or StreamClosedException, $"{refused}");
        });
    });

    [Fact]
    public void A_write_from_another_thread_beyond_the_limit_closes_the_stream()
    {
        // Without it the later data would arrive as if nothing were missing.
        ExpectUnsent();
        RunPair(async (left, right) =>
        {
            Task closed = WhenClosed(left);
            Clog(left, out Task write);
            byte[] much = new byte[2 * Transport.MoreThanTheKernelTakes];
            await Task.Run(() => left.Write(much));
            await closed;
            Assert.IsType<StreamBufferFullException>(left.Error);
            Assert.Single(Log.Lines, line => line.Message.EndsWith($": {much.Length} bytes were written and not sent."));
            await Assert.ThrowsAsync<StreamClosedException>(() => write);
            right.Close();
        }, new IOStreamOptions { MaxWriteBufferSize = 2 * Transport.MoreThanTheKernelTakes });
    }
}
