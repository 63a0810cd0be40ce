using System.Net.Sockets;
using Waterspout.Interop;
using Waterspout.Loop;
using Waterspout.Testing;

namespace Waterspout.Tests;

/// <summary>How streams handle rare results of a descriptor.</summary>
[Contract("derived")]
public sealed class ScriptedStreamTests : StreamContract
{
    [Fact]
    public void The_writes_of_a_turn_leave_in_one_call() => RunScripted(async (left, right) =>
    {
        for (int i = 0; i < 100; i++) left.Write("0123456789"u8);
        Assert.Equal(0, left.Sends.Calls);
        await right.ReadBytesAsync(1000);
        Assert.Equal(1, left.Sends.Calls);
    });

    [Fact]
    public void More_is_sent_than_an_int_counts_and_every_writer_is_woken() => Run(async () =>
    {
        (Descriptor one, Descriptor other) = Sockets.CreatePair();
        using Socket peer = new(other.ToSocketHandle());
        using SinkStream stream = new(new Socket(one.ToSocketHandle()), new IOStreamOptions { MaxWriteBufferSize = long.MaxValue });
        ReadOnlyMemory<byte> large = GC.AllocateUninitializedArray<byte>(1_500_000_000);
        List<Task> writes = [];
        for (int i = 0; i < 4; i++) writes.Add(stream.WriteAsync(large).AsTask());
        writes.Add(stream.FlushAsync().AsTask());
        Assert.Equal(6_000_000_000, stream.Unsent);
        Assert.DoesNotContain(writes, static write => write.IsCompleted);
        stream.IsFull = false;
        await Task.WhenAll(writes);
        Assert.Equal(6_000_000_000, stream.Taken);
    });

    [Fact]
    public void No_more_is_read_ahead_than_one_chunk() => RunScripted(async (left, right) =>
    {
        Task write = left.WriteAsync((ReadOnlyMemory<byte>)new byte[100_000]).AsTask();
        await right.ReadBytesAsync(10);
        await Turns(20);
        Assert.InRange(right.Receives.Bytes, 10, 1010);
        await right.ReadBytesAsync(5000);
        await Turns(20);
        Assert.InRange(right.Receives.Bytes, 5010, 6010);
        await right.ReadBytesAsync(100_000 - 5010);
        await write;
    }, new IOStreamOptions { ReadChunkSize = 1000 });

    [Fact]
    public void An_event_without_data_changes_nothing() => RunScripted(async (left, right) =>
    {
        ValueTask<byte[]> read = right.ReadBytesAsync(2);
        int calls = right.Receives.Calls;
        ((IReadinessHandler)right).HandleEvents(IOEvents.Read | IOEvents.Write);
        Assert.Equal(calls + 1, right.Receives.Calls);
        Assert.False(read.IsCompleted);
        await SendAlone(left, Bytes("a"));
        await left.WriteAsync("b"u8);
        await AssertReads("ab", read);
    });

    [Fact]
    public void A_read_that_would_block_is_tried_again_at_the_next_event() => RunScripted(async (left, right) =>
    {
        ValueTask<byte[]> read = right.ReadBytesAsync(2);
        int calls = right.Receives.Calls;
        right.Receives.Block(1);
        await left.WriteAsync("a"u8);
        while (right.Receives.Calls == calls) await Turn();
        await left.WriteAsync("b"u8);
        await AssertReads("ab", read);
    });

    [Theory]
    [InlineData(SocketError.ConnectionReset)]
    [InlineData(SocketError.TimedOut)]
    [InlineData(SocketError.ConnectionAborted)]
    public void A_lost_connection_is_an_ordinary_close_and_the_data_stays(SocketError code) => RunScripted(async (left, right) =>
    {
        SocketException error = new((int)code);
        ValueTask<byte[]> read = right.ReadBytesAsync(10);
        await SendAlone(left, Bytes("kept"));
        right.Receives.FailAt(right.Receives.Calls + 1, error);
        await left.WriteAsync("x"u8);
        StreamClosedException closed = await AssertFails<StreamClosedException>(read);
        Assert.Same(error, closed.InnerException);
        Assert.Same(error, right.Error);
        Assert.Equal(CloseReason.Reset, right.CloseReason);
        await AssertReads("kept", right.ReadBytesAsync(4));
        AssertLogIsQuiet();
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Any_other_error_closes_the_stream_and_is_logged(bool isRead)
    {
        ExpectLog("closed: Error");
        if (!isRead) ExpectLog("1 bytes were written and not sent");
        RunScripted(async (left, right) =>
        {
            // The error of a call on a descriptor that was closed under the stream.
            SocketException error = new((int)SocketError.OperationAborted);
            FaultyIOStream stream = isRead ? right : left;
            Task closed = WhenClosed(stream);
            if (isRead) right.Receives.FailAt(right.Receives.Calls + 1, error);
            else left.Sends.FailAt(left.Sends.Calls + 1, error);
            Task read = right.ReadBytesAsync(2).AsTask();
            left.Write("x"u8);
            await closed;
            await Assert.ThrowsAsync<StreamClosedException>(() => read);
            Assert.Same(error, stream.Error);
            Assert.Equal(CloseReason.Error, stream.CloseReason);
        });
    }

    [Fact]
    public void What_arrives_with_a_failed_write_is_read_and_writes_fail_meanwhile() => RunScripted(async (left, right) =>
    {
        SocketException error = new((int)SocketError.Shutdown);
        await left.WriteAsync("arrived\nthen"u8);
        await left.FlushAsync();
        right.Sends.FailAt(right.Sends.Calls + 1, error);
        List<string> told = [];
        ValueTask<byte[]> read = right.ReadUntilAsync("\n"u8, data =>
        {
            // In the middle of the parser, which uses this data: nothing may be received now.
            right.Write("x"u8);
            Task flush = right.FlushAsync().AsTask();
            told.Add($"{flush.IsFaulted} {right.IsClosed}");
            _ = flush.Exception;
            return data.ToArray();
        });
        await AssertReads("arrived\n", read);
        Assert.Equal(["True False"], told);
        Assert.Same(error, right.Error);
        Assert.Equal(CloseReason.Reset, right.CloseReason);
        Assert.True(right.Closed.IsCancellationRequested);
        await AssertFails<StreamClosedException>(right.WriteAsync("more"u8));
        await AssertFails<StreamClosedException>(right.CompleteWritesAsync());
        await AssertReads("then", right.ReadBytesAsync(4));
        Assert.Same(error, (await AssertFails<StreamClosedException>(right.ReadBytesAsync(1))).InnerException);
        Assert.True(right.IsClosed);
        AssertLogIsQuiet();
    });

    [Fact]
    public void The_first_error_counts() => RunScripted(async (left, right) =>
    {
        SocketException first = new((int)SocketError.ConnectionReset);
        await left.WriteAsync("arrived"u8);
        await left.FlushAsync();
        right.Sends.FailAt(right.Sends.Calls + 1, first);
        right.Receives.FailAt(right.Receives.Calls + 1, new SocketException((int)SocketError.TimedOut));
        Task closed = WhenClosed(right);
        right.Write("x"u8);
        await closed;
        Assert.Same(first, right.Error);
        Assert.Equal(CloseReason.Reset, right.CloseReason);
    });

    [Fact]
    public void A_broken_pipe_ends_a_pending_read_as_well() => RunScripted(async (left, right) =>
    {
        SocketException error = new((int)SocketError.Shutdown);
        ValueTask<byte[]> read = left.ReadBytesAsync(1);
        left.Sends.FailAt(left.Sends.Calls + 1, error);
        left.Write("x"u8);
        Assert.Same(error, (await AssertFails<StreamClosedException>(read)).InnerException);
        Assert.Equal(CloseReason.Reset, left.CloseReason);
        await WhenClosed(right);
        AssertLogIsQuiet();
    });

    [Fact]
    public void A_short_write_of_any_length_keeps_the_order() => RunScripted(async (left, right) =>
    {
        byte[] data = RandomBytes(new Random(9), 30_000);
        for (int most = 1; most < 20_000; most = (most * 3) + 1)
        {
            left.Sends.BytesPerCall = most;
            Task all = Task.WhenAll(left.WriteAsync(data.AsMemory(0, 9000)).AsTask(), left.WriteAsync(data.AsMemory(9000, 100)).AsTask(),
                left.WriteAsync(data.AsMemory(9100)).AsTask());
            AssertSame(data, await right.ReadBytesAsync(data.Length));
            await all;
        }
    });

    private void RunScripted(Func<FaultyIOStream, FaultyIOStream, Task> body, IOStreamOptions? options = null) =>
        RunPair((left, right) => body((FaultyIOStream)left, (FaultyIOStream)right), options);

    /// <summary>Accepts any amount of data, as soon as it accepts any.</summary>
    private sealed class SinkStream(Socket socket, IOStreamOptions options) : IOStream(socket, options)
    {
        public bool IsFull { get; set; } = true;

        public long Taken { get; private set; }

        protected override int? WriteToFd(ReadOnlySpan<byte> data) => Take(data.Length);

        protected override int? WriteToFd(ReadOnlySpan<ReadOnlyMemory<byte>> pieces)
        {
            int length = 0;
            foreach (ReadOnlyMemory<byte> piece in pieces) length = checked(length + piece.Length);
            return Take(length);
        }

        private int? Take(int count)
        {
            if (IsFull) return null;
            Taken += count;
            return count;
        }
    }
}
