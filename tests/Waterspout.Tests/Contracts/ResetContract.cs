namespace Waterspout.Tests;

/// <summary>The peer cuts the connection: what it had sent before is read first, then the error is reported.</summary>
/// <remarks>A close with unread data is a reset, on TCP and on Unix sockets.</remarks>
[Contract(Aspects.Resets)]
public sealed class ResetContract : StreamContract
{
    // As much as the smallest kernel buffer takes, and more than one TLS record.
    private const int Size = 60_000;

    [Fact]
    public void Data_that_arrived_unread_is_read_after_the_close() => RunPair(async (left, right) =>
    {
        Task closed = WhenClosed(right);
        byte[] answer = await AnswerAndReset(left, right);
        await closed;
        Assert.Equal(CloseReason.Reset, right.CloseReason);
        Assert.NotNull(right.Error);
        AssertSame(answer, await right.ReadBytesAsync(Size));
        await AssertIsReset(right.ReadBytesAsync(1));
        AssertLogIsQuiet();
    });

    [Fact]
    public void A_pending_read_has_all_that_arrived_and_the_error_comes_with_the_next() => RunPair(async (left, right) =>
    {
        Task<byte[]> read = right.ReadBytesAsync(Size).AsTask();
        byte[] answer = await AnswerAndReset(left, right);
        AssertSame(answer, await read);
        await AssertIsReset(right.ReadBytesAsync(1));
        Assert.Equal(CloseReason.Reset, right.CloseReason);
    });

    [Fact]
    public void A_read_into_the_callers_memory_has_all_that_arrived() => RunPair(async (left, right) =>
    {
        byte[] target = new byte[Size];
        Task<int> read = right.ReadIntoAsync(target).AsTask();
        byte[] answer = await AnswerAndReset(left, right);
        Assert.Equal(Size, await read);
        AssertSame(answer, target);
        await AssertFails<StreamClosedException>(right.ReadIntoAsync(target));
    });

    [Fact]
    public void What_a_read_that_wants_more_had_taken_can_be_read() => RunPair(async (left, right) =>
    {
        Task<byte[]> read = right.ReadBytesAsync(Size + 1).AsTask();
        byte[] answer = await AnswerAndReset(left, right);
        Assert.Equal(CloseReason.Reset, (await Assert.ThrowsAsync<StreamClosedException>(() => read)).Reason);
        AssertSame(answer, await right.ReadBytesAsync(Size));
    });

    [Fact]
    public void Data_that_was_cut_never_looks_complete() => RunPair(async (left, right) =>
    {
        Task<byte[]> read = right.ReadUntilCloseAsync().AsTask();
        byte[] answer = await AnswerAndReset(left, right);
        Assert.Equal(CloseReason.Reset, (await Assert.ThrowsAsync<StreamClosedException>(() => read)).Reason);
        await AssertIsReset(right.ReadUntilCloseAsync());
        AssertSame(answer, await right.ReadBytesAsync(Size));
        await AssertIsReset(right.ReadUntilCloseAsync());
    });

    [Fact]
    public void Data_that_arrived_is_read_after_a_failed_write() => RunPair(async (left, right) =>
    {
        Clog(right, out Task write);
        byte[] answer = await AnswerAndReset(left, right);
        Assert.Equal(CloseReason.Reset, (await Assert.ThrowsAsync<StreamClosedException>(() => write)).Reason);
        await AssertFails<StreamClosedException>(right.FlushAsync());
        await AssertFails<StreamClosedException>(right.WriteAsync("more"u8));
        AssertSame(answer, await right.ReadBytesAsync(Size));
        await AssertIsReset(right.ReadBytesAsync(1));
    });

    [Fact]
    public void What_does_not_fit_into_the_buffer_is_read_piece_by_piece() => RunPair(async (left, right) =>
    {
        Task told = WhenEndIsTold(right), closed = WhenClosed(right);
        byte[] answer = await AnswerAndReset(left, right);
        await told;
        await Turns(20);
        for (int i = 0; i < Size; i += 1000) AssertSame(answer.AsMemory(i, 1000), await right.ReadBytesAsync(1000));
        await AssertIsReset(right.ReadBytesAsync(1));
        await closed;
        Assert.Equal(CloseReason.Reset, right.CloseReason);
    }, new IOStreamOptions { MaxBufferSize = 4096, ReadChunkSize = 2048 });

    [Fact]
    public void Data_that_arrived_is_read_after_a_write_timeout() => RunPair(async (left, right) =>
    {
        Log.Allow("written and not sent");
        Log.Allow("closed: Timeout");
        byte[] answer = RandomBytes(new Random(3), Size);
        await left.WriteAsync((ReadOnlyMemory<byte>)answer);
        await left.FlushAsync();
        Clog(right, out Task write);
        Assert.Equal(CloseReason.Timeout, (await Assert.ThrowsAsync<StreamClosedException>(() => write)).Reason);
        AssertSame(answer, await right.ReadBytesAsync(Size));
        Assert.Equal(CloseReason.Timeout, (await AssertFails<StreamClosedException>(right.ReadBytesAsync(1))).Reason);
        Assert.IsType<TimeoutException>(right.Error);
        Assert.True(right.IsClosed);
    }, new IOStreamOptions { WriteTimeout = TimeSpan.FromMilliseconds(50) });

    [Fact]
    public void Other_threads_have_what_arrived() => RunPair((left, right) => Task.Run(async () =>
    {
        byte[] answer = await Loop.InvokeAsync(() => AnswerAndReset(left, right));
        AssertSame(answer, await right.ReadBytesAsync(Size));
        await AssertIsReset(right.ReadBytesAsync(1));
    }));

    [Fact]
    public void The_end_of_the_loop_closes_a_stream_that_has_something_left_to_receive()
    {
        BaseIOStream? failing = null;
        RunPair(async (left, right) =>
        {
            Task told = WhenEndIsTold(right);
            await AnswerAndReset(left, right);
            await told;
            await Turns(20);
            Assert.False(right.IsClosed);
            failing = right;
        }, new IOStreamOptions { MaxBufferSize = 4096, ReadChunkSize = 2048 });
        Assert.True(failing!.IsClosed);
        Assert.Equal(CloseReason.Reset, failing.CloseReason);
    }

    [Fact]
    public void The_callback_forms_have_what_arrived_and_the_close_comes_behind_it() => RunPair(async (left, right) =>
    {
        List<int> calls = [];
        TaskCompletionSource closed = new();
        right.SetCloseCallback(() => { calls.Add(-1); closed.SetResult(); });
        right.ReadBytes(Size / 2, first =>
        {
            calls.Add(first.Length);
            right.ReadBytes(Size / 2, second => calls.Add(second.Length));
        });
        await AnswerAndReset(left, right);
        await closed.Task;
        Assert.Equal([Size / 2, Size / 2, -1], calls);
    });

    private async Task<byte[]> AnswerAndReset(BaseIOStream left, BaseIOStream right)
    {
        byte[] answer = RandomBytes(new Random(3), Size);
        if (!right.IsWriting)
        {
            await right.WriteAsync("unread"u8);
            await right.FlushAsync();
        }

        await left.WriteAsync((ReadOnlyMemory<byte>)answer);
        await left.FlushAsync();
        left.Close();
        return answer;
    }

    private static async Task AssertIsReset(ValueTask<byte[]> read) =>
        Assert.Equal(CloseReason.Reset, (await AssertFails<StreamClosedException>(read)).Reason);
}
