using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Waterspout.Tests.Wrapping;

/// <summary>What is particular to a stream over one of .NET's. The contracts have the rest.</summary>
public sealed class WrappedTests : LoopTest
{
    [Fact]
    public void A_stream_that_is_left_open_is_cancelled_and_not_disposed() => Run(async () =>
    {
        HeldStream held = new();
        WrappedIOStream stream = new(held, leaveOpen: true);
        Task<byte[]> read = stream.ReadBytesAsync(1).AsTask();
        stream.Write("data"u8);
        await stream.FlushAsync();
        stream.Close(new IOException("cause"));
        await Assert.ThrowsAsync<StreamClosedException>(() => read);
        await stream.CloseAsync();
        Assert.False(held.Disposed.Task.IsCompleted);
        // Both calls of the wrapped stream end, although it does nothing to end them.
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => held.LastRead);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => held.LastWrite);
    });

    [Fact]
    public void A_read_under_way_holds_its_memory_until_it_ends() => Run(async () =>
    {
        HeldStream held = new();
        WrappedIOStream stream = new(held);
        Task<byte[]> read = stream.ReadBytesAsync(1).AsTask();
        byte[] space = ArrayOf(held.ReadSpace);
        stream.Close();
        await Assert.ThrowsAsync<StreamClosedException>(() => read);
        Assert.DoesNotContain(RentMany(space.Length), array => ReferenceEquals(array, space));
        held.EndRead("late"u8);
        while (!RentMany(space.Length).Exists(array => ReferenceEquals(array, space))) await Turn();
    });

    [Fact]
    public void A_close_without_an_error_leaves_the_write_under_way_its_time() => Run(async () =>
    {
        HeldStream held = new();
        WrappedIOStream stream = new(held);
        await stream.WriteAsync("data"u8);
        stream.Close();
        await Turns(5);
        Assert.Equal("data"u8.ToArray(), held.Written);
        Assert.False(held.Disposed.Task.IsCompleted);
        held.WriteEnd.SetResult();
        await held.Disposed.Task;
    });

    [Fact]
    public void A_close_with_an_error_disposes_at_once() => Run(async () =>
    {
        HeldStream held = new();
        WrappedIOStream stream = new(held);
        stream.Write("data"u8);
        await stream.FlushAsync();
        stream.Close(new IOException("cause"));
        Assert.True(held.Disposed.Task.IsCompleted);
    });

    [Fact]
    public void The_error_of_a_close_reaches_the_other_side_of_a_pipe() => Run(async () =>
    {
        (DuplexPipe left, DuplexPipe right) = DuplexPipe.CreatePair();
        WrappedIOStream near = new(left), far = new(right);
        Task<byte[]> read = far.ReadBytesAsync(1).AsTask();
        IOException cause = new("cause");
        near.Close(cause);
        Assert.Equal(CloseReason.Reset, (await Assert.ThrowsAsync<StreamClosedException>(() => read)).Reason);
        Assert.Same(cause, far.Error!.InnerException);
    });

    [Fact]
    public void A_pipe_that_is_left_open_can_be_used_by_its_owner() => Run(async () =>
    {
        (DuplexPipe left, DuplexPipe right) = DuplexPipe.CreatePair();
        WrappedIOStream stream = new(left, leaveOpen: true);
        await stream.WriteAsync("from ours "u8);
        Task<byte[]> read = stream.ReadBytesAsync(1).AsTask();
        stream.Close();
        await Assert.ThrowsAsync<StreamClosedException>(() => read);
        await left.Output.WriteAsync("and theirs"u8.ToArray());
        ReadResult result = await right.Input.ReadAtLeastAsync(20);
        Assert.Equal("from ours and theirs"u8.ToArray(), result.Buffer.ToArray());
        Assert.False(result.IsCompleted);
    });

    [Fact]
    public void What_arrives_after_a_failed_write_is_read() => Run(async () =>
    {
        Log.Allow("closed: Error");
        Log.Allow("written and not sent");
        HeldStream held = new();
        WrappedIOStream stream = new(held);
        Task<byte[]> read = stream.ReadBytesAsync(4).AsTask();
        stream.Write("data"u8);
        await stream.FlushAsync();
        held.WriteEnd.SetException(new IOException("cause"));
        while (stream.Error is null) await Turn();
        await Assert.ThrowsAsync<StreamClosedException>(() => stream.WriteAsync("more"u8).AsTask());
        held.EndRead("late"u8);
        Assert.Equal("late"u8.ToArray(), await read);
        held.EndRead(default);
        while (!stream.IsClosed) await Turn();
        Assert.Equal("cause", stream.Error!.Message);
    });

    [Fact]
    public void A_stream_of_one_direction_serves_that_direction() => Run(async () =>
    {
        Log.Allow("closed: Error");
        Log.Allow("written and not sent");
        HeldStream held = new(canWrite: false);
        WrappedIOStream stream = new(held);
        Task<byte[]> read = stream.ReadBytesAsync(4).AsTask();
        held.EndRead("data"u8);
        Assert.Equal("data"u8.ToArray(), await read);
        stream.Write("x"u8);
        await Assert.ThrowsAsync<StreamClosedException>(() => stream.FlushAsync().AsTask());
        Assert.Contains("cannot be written", stream.Error!.Message);
        stream.Close();
    });

    [Fact]
    public void The_end_of_one_side_is_refused_where_the_wrapped_stream_has_none() => Run(async () =>
    {
        WrappedIOStream stream = new(new HeldStream());
        await Assert.ThrowsAsync<NotSupportedException>(() => stream.CompleteWritesAsync().AsTask());
        stream.Close();
    });

    [Fact]
    public void Nothing_to_wrap_is_an_error_of_the_call() => Check(() =>
    {
        Assert.Throws<ArgumentNullException>(() => new WrappedIOStream((Stream)null!, loop: Loop));
        Assert.Throws<ArgumentNullException>(() => new WrappedIOStream((IDuplexPipe)null!, loop: Loop));
        Assert.Throws<ArgumentOutOfRangeException>(() => new WrappedIOStream(Stream.Null, new IOStreamOptions { MaxBufferSize = -1 }, Loop));
        GC.Collect();
        GC.WaitForPendingFinalizers();
    });

    [Fact]
    public void What_is_written_to_a_stream_that_buffers_arrives() => Run(async () =>
    {
        (DuplexPipe left, DuplexPipe right) = DuplexPipe.CreatePair();
        await using WrappedIOStream writer = new(new BufferedStream(left.Output.AsStream()));
        await using WrappedIOStream reader = new(right.Input.AsStream());
        await writer.WriteLineAsync("buffered");
        Assert.Equal("buffered", await reader.ReadLineAsync());
    });

    [Fact]
    public void What_is_written_through_a_compressing_stream_is_read_through_another() => Run(async () =>
    {
        (DuplexPipe left, DuplexPipe right) = DuplexPipe.CreatePair();
        await using WrappedIOStream writer = new(new BrotliStream(left.Output.AsStream(), CompressionLevel.Fastest));
        await using WrappedIOStream reader = new(new BrotliStream(right.Input.AsStream(), CompressionMode.Decompress));
        await writer.WriteLineAsync("compressed");
        Assert.Equal("compressed", await reader.ReadLineAsync());
    });

    [Fact]
    public void A_dropped_stream_is_closed_by_its_finalizer_and_logged()
    {
        ExpectLog("was dropped without being closed");
        Run(async () =>
        {
            HeldStream held = new();
            await StartAndDrop(held);
            await Turn(); // the stream is on the stack until then
            GC.Collect();
            GC.WaitForPendingFinalizers();
            await held.Disposed.Task;
        });
    }

    // In a separate method, so that nothing on the test's stack still refers to the stream.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Task<byte[]> StartAndDrop(HeldStream held)
    {
        Task<byte[]> read = new WrappedIOStream(held).ReadBytesAsync(4).AsTask();
        held.EndRead("data"u8);
        return read;
    }

    private static byte[] ArrayOf(Memory<byte> memory) => MemoryMarshal.TryGetArray(memory, out ArraySegment<byte> segment) ? segment.Array! : [];

    private static List<byte[]> RentMany(int length)
    {
        List<byte[]> rented = [.. Enumerable.Range(0, 200).Select(_ => ArrayPool<byte>.Shared.Rent(length))];
        foreach (byte[] array in rented) ArrayPool<byte>.Shared.Return(array);
        return rented;
    }
}
