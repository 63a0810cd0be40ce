using System.Buffers;
using System.IO.Pipelines;

namespace Waterspout.Tests.Duplex;

/// <summary>The pipes of every kind of stream.</summary>
[Contract(Aspects.Duplex)]
public sealed class DuplexPipeContract : DuplexPipeTest
{
    [Fact]
    public void Both_directions_carry_data_at_once_byte_for_byte() => RunPipe(async (left, pipe) =>
    {
        byte[] data = RandomBytes(NewRandom(), 1_000_000);
        Task writing = left.WriteAsync(data.AsMemory()).AsTask();
        ValueTask<byte[]> reading = left.ReadBytesAsync(data.Length);
        for (long total = 0; total < data.Length;)
        {
            ReadResult result = await pipe.Input.ReadAsync();
            total += result.Buffer.Length;
            foreach (ReadOnlyMemory<byte> piece in result.Buffer) pipe.Output.Write(piece.Span);
            pipe.Input.AdvanceTo(result.Buffer.End);
            await pipe.Output.FlushAsync();
        }

        AssertSame(data, await reading);
        await writing;
    });

    [Fact]
    public void Many_threads_take_turns() => RunPipe(async (left, pipe) =>
    {
        Task answering = Task.Run(async () =>
        {
            for (int i = 0; i < 300; i++) await left.WriteAsync(await left.ReadUntilAsync("\n"u8));
        });
        for (int i = 0; i < 300; i++)
        {
            string line = new string('x', i) + "\n";
            await Task.Run(async () => await pipe.Output.WriteAsync(Bytes(line)));
            Assert.Equal(line, await Task.Run(() => Read(pipe.Input, line.Length)));
        }

        await answering;
    });

    [Fact]
    public void The_end_is_reported_after_the_data_and_again() => RunPipe(async (left, pipe) =>
    {
        Task closing = Task.Run(() => WriteAndClose(left, "last"));
        Assert.Equal("last", Text(await ReadToEnd(pipe.Input)));
        Assert.True((await pipe.Input.ReadAsync()).IsCompleted);
        await pipe.Input.CompleteAsync();
        await pipe.Output.CompleteAsync();
        await closing;
    });

    [Fact]
    public void A_cancelled_read_loses_nothing() => RunPipe(async (left, pipe) =>
    {
        ValueTask<ReadResult> read = pipe.Input.ReadAsync();
        pipe.Input.CancelPendingRead();
        Assert.True((await read).IsCanceled);
        using CancellationTokenSource source = new();
        Task<ReadResult> next = pipe.Input.ReadAsync(source.Token).AsTask();
        source.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
        await left.WriteAsync("ab"u8);
        Assert.Equal("ab", await Read(pipe.Input, 2));
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_a_cancelled_flush_has_is_sent_once(bool byToken) => RunPipe(async (left, pipe) =>
    {
        byte[] data = RandomBytes(NewRandom(), Transport.MoreThanTheKernelTakes);
        pipe.Output.Write(data);
        using CancellationTokenSource source = new();
        Task<FlushResult> flush = pipe.Output.FlushAsync(source.Token).AsTask();
        if (byToken)
        {
            source.Cancel();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => flush);
        }
        else
        {
            pipe.Output.CancelPendingFlush();
            Assert.True((await flush).IsCanceled);
        }

        ValueTask<byte[]> reading = left.ReadBytesAsync(data.Length + 5);
        pipe.Output.Write(Bytes("after"));
        Assert.False((await pipe.Output.FlushAsync()).IsCanceled);
        AssertSame(data.Concat(Bytes("after")).ToArray(), await reading);
    });

    [Fact]
    public void After_its_completion_the_output_refuses_everything_but_a_cancellation() => RunPipe(async (left, pipe) =>
    {
        await pipe.Output.CompleteAsync();
        pipe.Output.CancelPendingFlush();
        Assert.Throws<InvalidOperationException>(() => { pipe.Output.GetMemory(); });
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await pipe.Output.FlushAsync());
    });

    [Fact]
    public void Completing_the_output_sends_what_is_left() => RunPipe(async (left, pipe) =>
    {
        Bytes("unflushed").CopyTo(pipe.Output.GetSpan(9));
        pipe.Output.Advance(9);
        Assert.Equal(9, pipe.Output.UnflushedBytes);
        await pipe.Output.CompleteAsync();
        await AssertReads("unflushed", left.ReadBytesAsync(9));
    });

    [Fact]
    public void A_flush_reports_that_the_peer_has_closed() => RunPipe(async (left, pipe) =>
    {
        Log.Allow("bytes were written and not sent"); // where there is no kernel between the two
        Log.Allow(" closed: Error.");
        left.Close(new IOException("enough"));
        while (!(await pipe.Output.WriteAsync(new byte[1000])).IsCompleted)
        {
        }
    });

    [Fact]
    public void Both_are_streams_as_well() => RunPipe(async (left, pipe) =>
    {
        Stream reader = pipe.Input.AsStream(leaveOpen: true);
        Stream writer = pipe.Output.AsStream(leaveOpen: true);
        for (int i = 0; i < 10; i++)
        {
            await left.WriteAsync("ab"u8);
            byte[] read = new byte[2];
            await reader.ReadExactlyAsync(read);
            await writer.WriteAsync(read);
            await writer.FlushAsync();
            await AssertReads("ab", left.ReadBytesAsync(2));
        }
    });

    [Fact]
    public void A_close_callback_that_is_set_later_runs_at_the_close() => RunPair(async (left, right) =>
    {
        IDuplexPipe pipe = right.AsDuplexPipe();
        Task closed = WhenClosed(right);
        await Turns(3);
        Assert.False(closed.IsCompleted);
        await pipe.Input.CompleteAsync();
        await pipe.Output.CompleteAsync();
        left.Close();
        await closed;
        Assert.True(right.IsClosed);
    });

    [Fact]
    public void Completing_with_an_error_closes_the_stream_with_it() => RunPair((left, right) => Task.Run(async () =>
    {
        IDuplexPipe pipe = right.AsDuplexPipe();
        IOException reason = new("enough");
        Task closed = WhenClosed(right);
        await pipe.Input.CompleteAsync(reason);
        await pipe.Output.CompleteAsync();
        await closed;
        Assert.Same(reason, right.Error);
        left.Close();
    }));
}
