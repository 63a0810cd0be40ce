using System.IO.Pipelines;

namespace Waterspout.Tests.Duplex;

/// <summary>The output of a connection keeps the contract of a pipe writer, and says when a connection ends.</summary>
[Contract("tcp")]
public sealed class PipeWriterTests : DuplexPipeTest
{
    [Fact]
    public void What_is_flushed_arrives_and_what_is_not_does_not() => RunPipe(async (left, pipe) =>
    {
        Write(pipe.Output, "abc");
        Assert.Equal(3, pipe.Output.UnflushedBytes);
        FlushResult result = await pipe.Output.FlushAsync();
        Assert.False(result.IsCompleted);
        Assert.False(result.IsCanceled);
        Assert.Equal(0, pipe.Output.UnflushedBytes);
        await AssertReads("abc", left.ReadBytesAsync(3));
    });

    [Fact]
    public void Everything_arrives_in_order_however_it_is_written() => RunPipe(async (left, pipe) =>
    {
        Random random = NewRandom();
        byte[] data = RandomBytes(random, 3_000_000);
        ValueTask<byte[]> reading = left.ReadBytesAsync(data.Length);
        for (int at = 0, count; at < data.Length; at += count)
        {
            count = Math.Min(random.Next(1, 30_000), data.Length - at);
            if (random.Next(2) == 0)
            {
                await pipe.Output.WriteAsync(data.AsMemory(at, count));
                continue;
            }

            data.AsSpan(at, count).CopyTo(pipe.Output.GetSpan(count));
            pipe.Output.Advance(count);
            if (random.Next(4) == 0) await pipe.Output.FlushAsync();
        }

        await pipe.Output.FlushAsync();
        AssertSame(data, await reading);
    });

    [Fact]
    public void A_flush_waits_while_too_much_is_unsent_and_completes_when_the_peer_reads() => RunPipe(async (left, pipe) =>
    {
        Task flush = Fill(pipe.Output);
        await left.ReadIntoAsync(new byte[Transport.MoreThanTheKernelTakes]);
        await flush;
        Assert.False((await pipe.Output.FlushAsync()).IsCompleted);
    });

    [Fact]
    public void A_pending_flush_is_cancelled_and_its_data_sent_all_the_same() => RunPipe(async (left, pipe) =>
    {
        Task<FlushResult> flush = Fill(pipe.Output);
        pipe.Output.CancelPendingFlush();
        Assert.True((await flush).IsCanceled);
        pipe.Output.CancelPendingFlush(); // before the next flush
        Assert.True((await pipe.Output.FlushAsync()).IsCanceled);
        using CancellationTokenSource source = new();
        Task<FlushResult> next = pipe.Output.FlushAsync(source.Token).AsTask();
        source.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
        await left.ReadIntoAsync(new byte[Transport.MoreThanTheKernelTakes]);
        await pipe.Output.FlushAsync();
    });

    [Fact]
    public void Completing_sends_what_is_left_and_then_the_end() => RunPipe(async (left, pipe) =>
    {
        Write(pipe.Output, "unflushed");
        await pipe.Output.CompleteAsync();
        await AssertReads("unflushed", left.ReadUntilCloseAsync());
        Assert.Throws<InvalidOperationException>(() => pipe.Output.GetSpan());
        Assert.Throws<InvalidOperationException>(() => { _ = pipe.Output.FlushAsync().AsTask(); });
    });

    [Fact]
    public void A_flush_reports_that_the_connection_has_failed() => RunPipe(async (left, pipe) =>
    {
        left.Close(new IOException("enough"));
        FlushResult result;
        do
        {
            Write(pipe.Output, "x");
            result = await pipe.Output.FlushAsync();
        }
        while (!result.IsCompleted);
    });

    [Fact]
    public void Completing_with_an_error_aborts_the_connection() => RunPair((left, right) => Task.Run(async () =>
    {
        IDuplexPipe pipe = right.AsDuplexPipe();
        IOException reason = new("enough");
        Task<ReadResult> read = pipe.Input.ReadAsync().AsTask();
        await pipe.Output.CompleteAsync(reason);
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(() => read);
        Assert.Same(reason, error.InnerException);
        error = await AssertFails<StreamClosedException>(left.ReadUntilCloseAsync());
        Assert.Equal(CloseReason.Reset, error.Reason);
        await pipe.Input.CompleteAsync();
    }));

    [Fact]
    public void Misuse_throws() => RunPipe((left, pipe) =>
    {
        Assert.Throws<InvalidOperationException>(() => pipe.Output.Advance(1));
        int room = pipe.Output.GetMemory(10).Length;
        Assert.Throws<InvalidOperationException>(() => pipe.Output.Advance(room + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => pipe.Output.Advance(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => { pipe.Output.GetMemory(-1); });
        return Task.CompletedTask;
    });

    [Fact]
    public void What_a_stream_had_not_sent_is_sent_first() => RunPair(async (left, right) =>
    {
        right.Write("early "u8);
        IDuplexPipe pipe = right.AsDuplexPipe();
        await pipe.Output.WriteAsync(Bytes("late"));
        await pipe.Output.CompleteAsync();
        await AssertReads("early late", left.ReadUntilCloseAsync());
        await pipe.Input.CompleteAsync();
    });

    [Fact]
    public void A_stream_that_was_taken_over_refuses_everything_and_reports_the_close() => RunPair(async (left, right) =>
    {
        Task closed = WhenClosed(right);
        Task told = WhenEndIsTold(right);
        IDuplexPipe pipe = right.AsDuplexPipe();
        await AssertFails<InvalidOperationException>(right.ReadBytesAsync(1));
        await AssertFails<InvalidOperationException>(right.WriteAsync("x"u8));
        Assert.Throws<InvalidOperationException>(right.AsDuplexPipe);
        right.Close();
        Assert.Equal(((IOStream)left).LocalEndPoint, ((IOStream)right).RemoteEndPoint);
        await pipe.Output.WriteAsync(Bytes("still open"));
        await AssertReads("still open", left.ReadBytesAsync(10));
        await pipe.Output.CompleteAsync();
        await pipe.Input.CompleteAsync();
        left.Close();
        await closed;
        await told;
        Assert.Equal(CloseReason.Local, right.CloseReason);
    });

    [Fact]
    public void A_stream_that_reads_cannot_be_taken_over() => RunPair(async (left, right) =>
    {
        ValueTask<byte[]> read = right.ReadBytesAsync(1);
        Assert.Throws<InvalidOperationException>(right.AsDuplexPipe);
        await left.WriteAsync("x"u8);
        await AssertReads("x", read);
        left.Close();
        right.Close();
        Assert.Throws<StreamClosedException>(right.AsDuplexPipe);
    });

    private static void Write(PipeWriter writer, string text)
    {
        Bytes(text).CopyTo(writer.GetSpan(text.Length));
        writer.Advance(text.Length);
    }

    /// <summary>Writes more than is sent without a reader.</summary>
    private Task<FlushResult> Fill(PipeWriter writer)
    {
        Task<FlushResult> flush = writer.WriteAsync(new byte[Transport.MoreThanTheKernelTakes]).AsTask();
        Assert.False(flush.IsCompleted);
        return flush;
    }
}
