namespace Waterspout.Tests;

/// <summary>The peer closes, or sends EOF: what is reported, when, and what can still be read.</summary>
[Contract(Aspects.Closing)]
public sealed class PeerCloseContract : StreamContract
{
    [Fact]
    public void The_end_fails_a_read_that_the_buffer_cannot_satisfy_and_calls_back_once() => RunPair(async (left, right) =>
    {
        int calls = 0;
        right.SetCloseCallback(() => calls++);
        ValueTask<byte[]> read = right.ReadBytesAsync(10);
        await SendAlone(left, Bytes("short"));
        _ = left.CloseAsync();
        StreamClosedException error = await AssertFails<StreamClosedException>(read);
        Assert.Equal(CloseReason.EndOfStream, error.Reason);
        Assert.Null(right.Error);
        await Turns(5);
        Assert.Equal(1, calls);
        await AssertReads("short", right.ReadBytesAsync(5));
    });

    [Fact]
    public void The_end_is_reported_without_a_read() => RunPair(async (left, right) =>
    {
        Task closed = WhenClosed(right);
        await Turn();
        Assert.False(right.IsClosed);
        _ = left.CloseAsync();
        await closed;
        Assert.True(right.IsClosed);
        Assert.True(right.Closed.IsCancellationRequested);
        Assert.Equal(CloseReason.EndOfStream, right.CloseReason);
    });

    [Fact]
    public void An_abrupt_close_of_the_peer_is_reported_as_far_as_the_transport_allows() => RunPair(async (left, right) =>
    {
        Task closed = WhenClosed(right);
        ValueTask<byte[]> read = right.ReadBytesAsync(100);
        await SendAlone(left, Bytes("last words"));
        left.Close();
        StreamClosedException error = await AssertFails<StreamClosedException>(read);
        Assert.Equal(Transport.ReasonOfAbruptClose, error.Reason);
        await closed;
        Assert.Equal(Transport.ReasonOfAbruptClose, right.CloseReason);
        await AssertReads("last words", right.ReadBytesAsync(10));
    });

    [Fact]
    public void The_end_behind_unread_data_is_reported_at_once_and_closes_after_the_data() => RunPair(async (left, right) =>
    {
        bool isCalled = false;
        right.SetCloseCallback(() => isCalled = true);
        Task told = WhenEndIsTold(right);
        await Buffer(left, right, "first second");
        _ = left.CloseAsync();
        await told;
        Assert.Equal(Transport.ReasonOfKnownEnd, right.CloseReason);
        await AssertReads("first ", right.ReadBytesAsync(6));
        await Turns(5);
        Assert.False(isCalled);
        Assert.False(right.IsClosed);
        await AssertReads("second", right.ReadBytesAsync(6));
        await Turns(5);
        Assert.True(isCalled);
        Assert.True(right.IsClosed);
        Assert.Equal(CloseReason.EndOfStream, right.CloseReason);
    });

    [Fact]
    public void Data_in_the_kernel_is_read_before_the_end_however_small_the_chunks() => RunPair(async (left, right) =>
    {
        bool isCalled = false;
        Task told = WhenEndIsTold(right);
        right.SetCloseCallback(() => isCalled = true);
        for (int i = 0; i < 20; i++) await left.WriteAsync(Bytes($"line {i}\n"));
        _ = left.CloseAsync();
        await told;
        for (int i = 0; i < 20; i++)
        {
            Assert.False(isCalled);
            await AssertReads($"line {i}\n", right.ReadUntilAsync("\n"u8));
        }

        await AssertReads("", right.ReadUntilCloseAsync());
        await Turn();
        Assert.True(isCalled);
    }, new IOStreamOptions { ReadChunkSize = 3 });

    [Fact]
    public void The_close_callback_comes_after_the_callbacks_for_data_that_had_arrived() => RunPair(async (left, right) =>
    {
        List<string> calls = [];
        TaskCompletionSource closed = new();
        right.SetCloseCallback(() => { calls.Add("close"); closed.SetResult(); });
        right.ReadUntil("\n"u8, data =>
        {
            calls.Add(Text(data));
            right.ReadBytes(4, rest => calls.Add(Text(rest)));
        });
        await left.WriteAsync("line\nrest"u8);
        _ = left.CloseAsync();
        await closed.Task;
        Assert.Equal(["line\n", "rest", "close"], calls);
    });
}
