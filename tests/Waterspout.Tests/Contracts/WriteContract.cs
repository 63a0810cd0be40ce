using System.Buffers;

namespace Waterspout.Tests;

/// <summary>Writes: order, completion, forms of data, backpressure.</summary>
[Contract(Aspects.Sending)]
public sealed class WriteContract : StreamContract
{
    [Fact]
    public void Writing_nothing_is_legal_and_sends_nothing() => RunPair(async (left, right) =>
    {
        Assert.True(left.WriteAsync(ReadOnlySpan<byte>.Empty).IsCompletedSuccessfully);
        Assert.True(left.WriteAsync(ReadOnlyMemory<byte>.Empty).IsCompletedSuccessfully);
        Assert.True(left.WriteAsync(ReadOnlySequence<byte>.Empty).IsCompletedSuccessfully);
        Assert.True(left.FlushAsync().IsCompletedSuccessfully);
        Assert.False(left.IsWriting);
        await left.WriteAsync("y"u8);
        await AssertReads("y", right.ReadBytesAsync(10, partial: true));
    });

    [Fact]
    public void Small_writes_complete_at_once_and_arrive_in_order() => RunPair(async (left, right) =>
    {
        for (int i = 0; i < 1000; i++) Assert.True(left.WriteAsync(Bytes($"{i},")).IsCompletedSuccessfully);
        Assert.True(left.IsWriting);
        for (int i = 0; i < 1000; i++) await AssertReads($"{i},", right.ReadUntilAsync(","u8));
        Assert.False(left.IsWriting);
    });

    [Fact]
    public void A_flush_completes_when_the_kernel_has_everything() => RunPair(async (left, right) =>
    {
        byte[] data = Clog(left, out Task write);
        Task flush = left.FlushAsync().AsTask();
        await Turn();
        Assert.False(flush.IsCompleted);
        await right.ReadIntoAsync(new byte[data.Length]);
        await flush;
        Assert.True(write.IsCompletedSuccessfully, "The write was in front of the flush.");
        Assert.False(left.IsWriting);
        Assert.True(left.FlushAsync().IsCompletedSuccessfully);
    });

    [Fact]
    public void A_write_waits_while_more_than_the_high_water_mark_is_unsent() => RunPair(async (left, right) =>
    {
        // Until the kernel's buffer is full, in copies.
        byte[] piece = new byte[1000];
        int written = 0;
        ValueTask write;
        do
        {
            write = left.WriteAsync((ReadOnlySpan<byte>)piece);
            written += piece.Length;
            if (written % 100_000 == 0) await Turn();
        }
        while (write.IsCompletedSuccessfully && written < 50_000_000);

        Assert.False(write.IsCompleted);
        await right.ReadIntoAsync(new byte[written]);
        await write;
    }, new IOStreamOptions { WriteHighWaterMark = 3000 });

    [Fact]
    public void A_waiting_write_resumes_at_the_high_water_mark() => RunPair(async (left, right) =>
    {
        ExpectUnsent();
        Task write = left.WriteAsync(new byte[Transport.MoreThanTheKernelTakes].AsSpan()).AsTask();
        Assert.False(write.IsCompleted);
        byte[] target = new byte[64 * 1024];
        while (!write.IsCompleted) await right.ReadIntoAsync(target, partial: true);
        Assert.InRange(left.Unsent, 1, left.Options.WriteHighWaterMark);
        left.Close();
    }, new IOStreamOptions { WriteHighWaterMark = Transport.MoreThanTheKernelTakes / 2 });

    [Fact]
    public void A_small_write_never_overtakes_a_large_one() => RunPair(async (left, right) =>
    {
        List<string> completed = [];
        byte[] data = Clog(left, out Task write);
        Task large = Note(write, "large");
        Task small = Note(left.WriteAsync("small"u8).AsTask(), "small");
        Task flush = Note(left.FlushAsync().AsTask(), "flush");
        byte[] target = new byte[data.Length];
        await right.ReadIntoAsync(target);
        AssertSame(data, target);
        await AssertReads("small", right.ReadBytesAsync(5));
        await Task.WhenAll(large, small, flush);
        Assert.Equal(["large", "small", "flush"], completed);

        async Task Note(Task task, string name)
        {
            await task;
            completed.Add(name);
        }
    });

    [Fact]
    public void Writes_of_many_producers_stay_whole_and_complete_in_order() => RunPair(async (left, right) =>
    {
        const int Producers = 10, Size = 5000;
        int each = Transport.Rounds(50);
        int submitted = 0;
        List<int> completed = [];
        Task all = Task.WhenAll(Enumerable.Range(0, Producers).Select(Produce));
        for (int i = 0; i < Producers * each; i++)
        {
            byte[] message = await right.ReadBytesAsync(Size);
            Assert.Equal(-1, message.AsSpan().IndexOfAnyExcept(message[0]));
        }

        await all;
        Assert.Equal(Enumerable.Range(0, Producers * each), completed);

        async Task Produce(int producer)
        {
            byte[] message = new byte[Size];
            message.AsSpan().Fill((byte)producer);
            for (int i = 0; i < each; i++)
            {
                ValueTask write = left.WriteAsync((ReadOnlySpan<byte>)message);
                int number = submitted++;
                await write;
                completed.Add(number);
                await Turn();
            }
        }
    }, new IOStreamOptions { WriteHighWaterMark = 0 });

    [Fact]
    public void Data_given_as_a_span_may_be_changed_after_the_call() => RunPair(async (left, right) =>
    {
        byte[] data = Bytes("before");
        ValueTask write = left.WriteAsync((ReadOnlySpan<byte>)data);
        data.AsSpan().Fill((byte)'x');
        await write;
        await AssertReads("before", right.ReadBytesAsync(6));
    });

    [Fact]
    public void Data_given_as_memory_may_be_changed_after_the_write() => RunPair(async (left, right) =>
    {
        byte[] data = RandomBytes(new Random(3), 200_000);
        byte[] copy = [.. data];
        Task<byte[]> read = right.ReadBytesAsync(data.Length).AsTask();
        await left.WriteAsync((ReadOnlyMemory<byte>)data);
        data.AsSpan().Clear();
        AssertSame(copy, await read);
    });

    [Fact]
    public void A_sequence_of_thousands_of_segments_is_sent_whole() => RunPair(async (left, right) =>
    {
        Random random = new(7);
        Segment first = new(RandomBytes(random, 100)), last = first;
        for (int i = 1; i < Transport.Rounds(1000); i++) last = last.Append(RandomBytes(random, i % 5 == 0 ? 9000 : i % 7));
        ReadOnlySequence<byte> data = new(first, 10, last, last.Memory.Length);
        Task write = left.WriteAsync(data).AsTask();
        AssertSame(data.ToArray(), await right.ReadBytesAsync((int)data.Length));
        await write;
    });

    [Fact]
    public void A_serializer_writes_into_the_streams_own_memory() => RunPair(async (left, right) =>
    {
        for (int i = 0; i < 1000; i++)
        {
            Span<byte> space = left.GetSpan(20);
            Assert.True(space.Length >= 20);
            Assert.True(System.Buffers.Text.Utf8Formatter.TryFormat(i, space, out int written));
            left.Advance(written);
            await left.WriteAsync(","u8);
            left.GetMemory(); // not used
        }

        left.GetSpan(100_000).Fill((byte)'z');
        left.Advance(100_000);
        for (int i = 0; i < 1000; i++) await AssertReads($"{i},", right.ReadUntilAsync(","u8));
        Assert.Equal(new string('z', 100_000), Text(await right.ReadBytesAsync(100_000)));
    });

    [Fact]
    public void Advancing_over_memory_that_was_not_lent_is_refused() => RunPair(async (left, right) =>
    {
        Assert.Throws<InvalidOperationException>(() => left.Advance(1));
        Assert.Throws<InvalidOperationException>(() => left.Advance(left.GetMemory(10).Length + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => left.Advance(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => _ = left.GetMemory(-1));
        left.GetMemory(10);
        await left.WriteAsync("other"u8);
        Assert.Throws<InvalidOperationException>(() => left.Advance(1));
        await AssertReads("other", right.ReadBytesAsync(5));
    });

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        internal Segment(byte[] data) => Memory = data;

        internal Segment Append(byte[] data)
        {
            Segment next = new(data) { RunningIndex = RunningIndex + Memory.Length };
            Next = next;
            return next;
        }
    }
}
