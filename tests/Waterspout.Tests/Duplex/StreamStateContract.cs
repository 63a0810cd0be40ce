#pragma warning disable CA2022 // what matters is that the read completes

using System.Buffers;

namespace Waterspout.Tests.Duplex;

/// <summary>Arguments, cancellation, time-outs and the end of a stream of ours as a <see cref="Stream"/>.</summary>
[Contract(Aspects.Duplex)]
public sealed class StreamStateContract : StreamTest
{
    [Fact]
    public void Bad_arguments_are_refused_by_the_call() => RunStream((left, stream) =>
    {
        Assert.Throws<ArgumentNullException>(() => stream.Read(null!, 0, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Read(new byte[1], -1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Read(new byte[1], 0, 2));
        Assert.Throws<ArgumentNullException>(() => stream.Write(null!, 0, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Write(new byte[1], 1, 1));
        Assert.Throws<ArgumentNullException>(() => { _ = stream.ReadAsync(null!, 0, 0); });
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = stream.WriteAsync(new byte[1], 0, -1); });
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.ReadTimeout = 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.WriteTimeout = -2);
        return Task.CompletedTask;
    });

    [Fact]
    public void It_reads_and_writes_and_does_not_seek() => RunStream((left, stream) =>
    {
        Assert.True(stream.CanRead);
        Assert.True(stream.CanWrite);
        Assert.True(stream.CanTimeout);
        Assert.False(stream.CanSeek);
        Assert.Throws<NotSupportedException>(() => stream.Length);
        Assert.Throws<NotSupportedException>(() => stream.Position);
        Assert.Throws<NotSupportedException>(() => stream.Position = 0);
        Assert.Throws<NotSupportedException>(() => stream.Seek(0, SeekOrigin.Begin));
        Assert.Throws<NotSupportedException>(() => stream.SetLength(0));
        return Task.CompletedTask;
    });

    [Fact]
    public void A_cancelled_token_has_no_effect_but_that() => RunStream(async (left, stream) =>
    {
        using CancellationTokenSource source = new();
        source.Cancel();
        await left.WriteAsync("ab"u8);
        await AssertCancelled(source, stream.ReadAsync(new byte[1], source.Token).AsTask());
        await AssertCancelled(source, stream.ReadAsync(new byte[1], 0, 1, source.Token));
        await AssertCancelled(source, stream.WriteAsync(new byte[1], source.Token).AsTask());
        await AssertCancelled(source, stream.FlushAsync(source.Token));
        Assert.Equal("ab", await ReadText(stream, 2));
        await stream.WriteAsync(Bytes("cd"));
        await AssertReads("cd", left.ReadBytesAsync(2));
    });

    [Fact]
    public void A_pending_read_is_cancelled_and_the_stream_reads_on() => RunStream(async (left, stream) =>
    {
        for (int i = 0; i < 20; i++)
        {
            using CancellationTokenSource source = new();
            Task<int> read = stream.ReadAsync(new byte[10], source.Token).AsTask();
            if (i % 2 == 0) source.Cancel();
            else source.CancelAfter(1);
            await AssertCancelled(source, read);
            await left.WriteAsync("ab"u8);
            Assert.Equal("ab", await ReadText(stream, 2));
        }
    });

    [Fact]
    public void A_second_read_is_refused_and_the_first_goes_on() => RunStream(async (left, stream) =>
    {
        byte[] target = new byte[2];
        Task<int> first = stream.ReadAsync(target).AsTask();
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await stream.ReadAsync(new byte[2]));
        await left.WriteAsync("a"u8);
        Assert.Equal(1, await first);
        Assert.Equal((byte)'a', target[0]);
    });

    [Fact]
    public void A_synchronous_read_ends_at_its_time_out_and_loses_nothing() => RunStream(async (left, stream) =>
    {
        Assert.Equal(Timeout.Infinite, stream.ReadTimeout);
        Assert.Equal(Timeout.Infinite, stream.WriteTimeout);
        stream.ReadTimeout = 10;
        stream.WriteTimeout = 1000;
        Assert.Equal(10, stream.ReadTimeout);
        Assert.Equal(1000, stream.WriteTimeout);
        Assert.Throws<IOException>(() => stream.Read(new byte[5], 0, 5));
        Assert.Throws<IOException>(() => stream.Read(new byte[5].AsSpan()));
        stream.ReadTimeout = Timeout.Infinite;
        await left.WriteAsync("ab"u8);
        Assert.Equal("ab", await ReadText(stream, 2));
    });

    [Fact]
    public void A_synchronous_write_ends_at_its_time_out() => RunStream(async (left, stream) =>
    {
        stream.WriteTimeout = 10;
        byte[] piece = new byte[100_000];
        int written = 0;
        Assert.Throws<IOException>(WriteOn);
        // The last one has been written all the same.
        stream.WriteTimeout = Timeout.Infinite;
        await left.ReadIntoAsync(new byte[written]);
        stream.Flush();

        void WriteOn()
        {
            while (true)
            {
                written += piece.Length;
                stream.Write(piece);
            }
        }
    });

    [Fact]
    public void A_synchronous_call_on_the_loop_is_refused() => RunPair(async (left, right) =>
    {
        Stream stream = right.AsStream();
        await left.WriteAsync("ab"u8);
        Assert.Throws<InvalidOperationException>(() => stream.Read(new byte[1], 0, 1));
        Assert.Throws<InvalidOperationException>(() => stream.Read(new byte[1].AsSpan()));
        Assert.Throws<InvalidOperationException>(() => stream.ReadByte());
        Assert.Throws<InvalidOperationException>(() => stream.Write(new byte[1], 0, 1));
        Assert.Throws<InvalidOperationException>(stream.Flush);
        Assert.Equal("ab", await ReadText(stream, 2));
        Assert.True(Loop.IsCurrent);
        left.Close();
        await stream.DisposeAsync();
    });

    [Fact]
    public void After_dispose_everything_is_refused() => RunStream(async (left, stream) =>
    {
        Task<int> pending = stream.ReadAsync(new byte[1]).AsTask();
        stream.Dispose();
        await Assert.ThrowsAnyAsync<Exception>(() => pending);
        Assert.False(stream.CanRead);
        Assert.False(stream.CanWrite);
        Assert.Throws<ObjectDisposedException>(() => stream.Read(new byte[1], 0, 1));
        Assert.Throws<ObjectDisposedException>(() => stream.Write(new byte[1], 0, 1));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await stream.ReadAsync(new byte[1]));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await stream.WriteAsync(new byte[1]));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => stream.FlushAsync());
        stream.Dispose();
        await stream.DisposeAsync();
        await AssertFails<StreamClosedException>(left.ReadBytesAsync(1));
    });

    [Fact]
    public void A_cancelled_write_leaves_its_memory_to_the_caller() => RunStream(async (left, stream) =>
    {
        byte[] data = RandomBytes(NewRandom(), Transport.MoreThanTheKernelTakes);
        byte[] memory = data.ToArray();
        using CancellationTokenSource source = new();
        Task write = stream.WriteAsync(memory, source.Token).AsTask();
        source.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write);
        Array.Clear(memory);
        AssertSame(data, await left.ReadBytesAsync(data.Length));
    });

    [Fact]
    public void A_write_that_waits_while_the_stream_is_disposed_completes_when_it_is_sent() => RunStream(async (left, stream) =>
    {
        byte[] data = RandomBytes(NewRandom(), Transport.MoreThanTheKernelTakes);
        Task write = stream.WriteAsync(data).AsTask();
        Task disposed = stream.DisposeAsync().AsTask();
        Assert.False(write.IsCompleted);
        AssertSame(data, await left.ReadBytesAsync(data.Length));
        await write;
        await disposed;
    });

    [Fact]
    public void A_write_that_waits_while_the_stream_is_disposed_fails_if_it_is_not_sent() => RunStream(async (left, stream) =>
    {
        Log.Allow("bytes were written and not sent");
        Log.Allow(" closed: Error.");
        Task write = stream.WriteAsync(new byte[Transport.MoreThanTheKernelTakes]).AsTask();
        Task disposed = stream.DisposeAsync().AsTask();
        left.Close(new IOException("enough"));
        await Assert.ThrowsAnyAsync<IOException>(() => write);
        await disposed;
    });

    [Fact]
    public void Disposing_sends_everything_that_was_written() => RunStream(async (left, stream) =>
    {
        byte[] data = RandomBytes(new Random(4), 1_000_000);
        Task<byte[]> reading = left.ReadUntilCloseAsync().AsTask();
        await stream.WriteAsync(data);
        await stream.DisposeAsync();
        AssertSame(data, await reading);
    });

    [Fact]
    public void Writes_fail_once_the_peer_has_closed() => RunStream(async (left, stream) =>
    {
        Log.Allow("bytes were written and not sent"); // where there is no kernel between the two
        Log.Allow(" closed: Error.");
        left.Close(new IOException("enough"));
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            while (true) await stream.WriteAsync(new byte[1000]);
        });
        Assert.ThrowsAny<IOException>(() => stream.Write(new byte[1000]));
    });

    [Fact]
    public void Memory_need_not_be_an_array() => RunStream(async (left, stream) =>
    {
        using NativeMemory memory = new(100_000);
        await left.WriteAsync("ab"u8);
        for (int at = 0; at < 2;) at += await stream.ReadAsync(memory.Memory[at..]);
        Assert.Equal("ab", Text(memory.Memory.Span[..2]));
        ValueTask<byte[]> reading = left.ReadBytesAsync(100_000);
        await stream.WriteAsync(memory.Memory);
        Assert.Equal("ab", Text((await reading).AsSpan(0, 2)));
    });

    [Fact]
    public void An_await_resumes_in_the_callers_context() => RunStream(async (left, stream) =>
    {
        PostingContext context = new();
        Task read = Task.Run(async () =>
        {
            SynchronizationContext.SetSynchronizationContext(context);
            await stream.ReadAsync(new byte[1]);
            Assert.Same(context, SynchronizationContext.Current);
            SynchronizationContext.SetSynchronizationContext(null);
        });
        await left.WriteAsync("x"u8);
        await read;
        Assert.InRange(context.Posts, 0, 1); // none if it was there already
    });

    private static async Task AssertCancelled(CancellationTokenSource source, Task task)
    {
        OperationCanceledException error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task);
        Assert.Equal(source.Token, error.CancellationToken);
    }

    private sealed unsafe class NativeMemory(int length) : MemoryManager<byte>
    {
        private readonly byte* _start = (byte*)System.Runtime.InteropServices.NativeMemory.AllocZeroed((nuint)length);

        public override Span<byte> GetSpan() => new(_start, length);

        public override MemoryHandle Pin(int elementIndex = 0) => new(_start + elementIndex);

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing) => System.Runtime.InteropServices.NativeMemory.Free(_start);
    }
}
