using System.Buffers;
using System.IO.Pipelines;

namespace Waterspout.Tests.Duplex;

/// <summary>The input of a connection keeps the contract of a pipe reader.</summary>
[Contract("tcp")]
public sealed class PipeReaderTests : DuplexPipeTest
{
    [Fact]
    public void What_is_consumed_is_gone_and_what_is_not_is_read_again() => RunPipe(async (left, pipe) =>
    {
        await left.WriteAsync("abcdef"u8);
        ReadResult result = await pipe.Input.ReadAtLeastAsync(6);
        Assert.Equal("abcdef", Text(result.Buffer.ToArray()));
        pipe.Input.AdvanceTo(result.Buffer.GetPosition(2), result.Buffer.GetPosition(3));
        result = await pipe.Input.ReadAsync(); // what has not been examined completes it
        Assert.Equal("cdef", Text(result.Buffer.ToArray()));
        pipe.Input.AdvanceTo(result.Buffer.End);
    });

    [Fact]
    public void A_read_waits_for_more_than_has_been_examined() => RunPipe(async (left, pipe) =>
    {
        await left.WriteAsync("ab"u8);
        ReadResult result = await pipe.Input.ReadAtLeastAsync(2);
        pipe.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        Assert.False(pipe.Input.TryRead(out _));
        ValueTask<ReadResult> read = pipe.Input.ReadAsync();
        Assert.False(read.IsCompleted);
        await left.WriteAsync("c"u8);
        result = await read;
        Assert.Equal("abc", Text(result.Buffer.ToArray()));
        pipe.Input.AdvanceTo(result.Buffer.End);
    });

    [Fact]
    public void Everything_is_read_byte_for_byte_whatever_is_consumed_and_examined() => RunPipe(async (left, pipe) =>
    {
        Random random = NewRandom();
        byte[] data = RandomBytes(random, 3_000_000);
        Task writing = Task.Run(async () =>
        {
            for (int at = 0, count; at < data.Length; at += count)
            {
                count = Math.Min(random.Next(1, 100_000), data.Length - at);
                await left.WriteAsync(data.AsMemory(at, count));
            }

            await left.CompleteWritesAsync();
        });
        Random choice = new(3);
        int position = 0;
        while (true)
        {
            ReadResult result = await pipe.Input.ReadAsync();
            AssertSame(data.AsMemory(position, (int)result.Buffer.Length), result.Buffer.ToArray());
            if (result.IsCompleted && position + result.Buffer.Length == data.Length) break;
            int consumed = choice.Next((int)result.Buffer.Length + 1);
            // Examined to the end, but now and then.
            int examined = choice.Next(4) == 0 ? choice.Next(consumed, (int)result.Buffer.Length + 1) : (int)result.Buffer.Length;
            pipe.Input.AdvanceTo(result.Buffer.GetPosition(consumed), result.Buffer.GetPosition(examined));
            position += consumed;
        }

        await writing;
    });

    [Fact]
    public void The_end_is_reported_after_the_data_and_again_and_again() => RunPipe(async (left, pipe) =>
    {
        Task closing = Task.Run(() => WriteAndClose(left, "last"));
        Assert.Equal("last", Text(await ReadToEnd(pipe.Input)));
        for (int i = 0; i < 3; i++)
        {
            ReadResult result = await pipe.Input.ReadAsync();
            Assert.True(result.IsCompleted);
            Assert.True(result.Buffer.IsEmpty);
            pipe.Input.AdvanceTo(result.Buffer.End);
        }

        await pipe.Input.CompleteAsync();
        await pipe.Output.CompleteAsync();
        await closing;
    });

    [Fact]
    public void A_pending_read_is_cancelled_and_the_next_one_reads_on() => RunPipe(async (left, pipe) =>
    {
        ValueTask<ReadResult> read = pipe.Input.ReadAsync();
        pipe.Input.CancelPendingRead();
        ReadResult result = await read;
        Assert.True(result.IsCanceled);
        Assert.True(result.Buffer.IsEmpty);
        await left.WriteAsync("ab"u8);
        Assert.Equal("ab", await Read(pipe.Input, 2));
    });

    [Fact]
    public void A_cancellation_before_the_read_cancels_the_next_one_only() => RunPipe(async (left, pipe) =>
    {
        await left.WriteAsync("ab"u8);
        ReadResult result = await pipe.Input.ReadAtLeastAsync(2);
        pipe.Input.CancelPendingRead();
        pipe.Input.AdvanceTo(result.Buffer.Start);
        result = await pipe.Input.ReadAsync();
        Assert.True(result.IsCanceled);
        Assert.Equal("ab", Text(result.Buffer.ToArray()));
        result = await pipe.Input.ReadAsync(); // a cancelled result need not be advanced after
        Assert.False(result.IsCanceled);
        pipe.Input.AdvanceTo(result.Buffer.End);
    });

    [Fact]
    public void A_token_cancels_a_read_and_loses_nothing() => RunPipe(async (left, pipe) =>
    {
        using CancellationTokenSource source = new();
        ValueTask<ReadResult> read = pipe.Input.ReadAsync(source.Token);
        source.Cancel();
        OperationCanceledException error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.AsTask());
        Assert.Equal(source.Token, error.CancellationToken);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pipe.Input.ReadAsync(source.Token).AsTask());
        await left.WriteAsync("ab"u8);
        Assert.Equal("ab", await Read(pipe.Input, 2));
    });

    [Fact]
    public void Misuse_throws() => RunPipe(async (left, pipe) =>
    {
        Assert.Throws<InvalidOperationException>(() => pipe.Input.AdvanceTo(default));
        await left.WriteAsync("abc"u8);
        ReadResult result = await pipe.Input.ReadAtLeastAsync(3);
        Assert.Throws<InvalidOperationException>(() => pipe.Input.TryRead(out _));
        Assert.Throws<InvalidOperationException>(() => { _ = pipe.Input.ReadAsync().AsTask(); });
        Assert.Throws<InvalidOperationException>(() => pipe.Input.AdvanceTo(result.Buffer.End, result.Buffer.Start));
        SequencePosition foreign = new ReadOnlySequence<byte>(new byte[3]).End;
        Assert.Throws<ArgumentOutOfRangeException>(() => pipe.Input.AdvanceTo(foreign));
        pipe.Input.AdvanceTo(result.Buffer.End);
        Task pending = pipe.Input.ReadAsync().AsTask();
        Assert.Throws<InvalidOperationException>(() => { _ = pipe.Input.ReadAsync().AsTask(); });
        await pipe.Input.CompleteAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => pending);
        Assert.Throws<InvalidOperationException>(() => pipe.Input.TryRead(out _));
    });

    [Fact]
    public void An_error_comes_after_the_data_that_arrived_before_it() => RunPair((left, right) => Task.Run(async () =>
    {
        IDuplexPipe pipe = right.AsDuplexPipe();
        await pipe.Output.WriteAsync(Bytes("unread by the peer"));
        await left.PeekAsync(1);
        await left.WriteAsync("last"u8);
        await left.FlushAsync();
        Assert.Equal("last", await Read(pipe.Input, 4));
        await pipe.Output.WriteAsync(Bytes("unread as well"));
        while (((IOStream)left).Socket.Available == 0) await Task.Yield();
        left.Close();
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(async () => await ReadToEnd(pipe.Input));
        Assert.Equal(CloseReason.Reset, error.Reason);
        await pipe.Input.CompleteAsync();
        await pipe.Output.CompleteAsync();
    }));

    [Fact]
    public void What_a_stream_had_received_is_read_first() => RunPair(async (left, right) =>
    {
        await Buffer(left, right, "early ");
        IDuplexPipe pipe = right.AsDuplexPipe();
        Task closing = WriteAndClose(left, "late");
        await Task.Run(async () => Assert.Equal("early late", Text(await ReadToEnd(pipe.Input))));
        await pipe.Input.CompleteAsync();
        await pipe.Output.CompleteAsync();
        await closing;
    });

    [Fact]
    public void A_read_on_the_loop_resumes_on_the_loop() => RunPipeOnLoop(async (left, pipe) =>
    {
        for (int i = 0; i < 10; i++)
        {
            ValueTask<ReadResult> read = pipe.Input.ReadAsync();
            left.Write("x"u8);
            ReadResult result = await read;
            Assert.True(Loop.IsCurrent);
            pipe.Input.AdvanceTo(result.Buffer.End);
        }
    });

    [Fact]
    public void A_read_off_the_loop_resumes_off_the_loop() => RunPipe(async (left, pipe) =>
    {
        for (int i = 0; i < 10; i++)
        {
            Task<string> read = Read(pipe.Input, 1);
            left.Write("x"u8);
            await read;
            Assert.False(Loop.IsCurrent);
        }
    });
}
