using System.Buffers;

namespace Waterspout.Tests;

/// <summary>Reads into the caller's memory.</summary>
[Contract(Aspects.Receiving)]
public sealed class ReadIntoContract : StreamContract
{
    [Fact]
    public void A_read_into_memory_fills_it_and_leaves_the_rest() => RunPair(async (left, right) =>
    {
        byte[] target = new byte[10];
        ValueTask<int> read = right.ReadIntoAsync(target);
        await SendAlone(left, Bytes("hello"));
        Assert.False(read.IsCompleted);
        Assert.True(right.IsReading);
        await left.WriteAsync("world!!"u8);
        Assert.Equal(10, await read);
        Assert.Equal("helloworld", Text(target));
        await right.PeekAsync(2);
        Assert.Equal(2, await right.ReadIntoAsync(target, partial: true));
        Assert.Equal("!!lloworld", Text(target));
    });

    [Theory]
    [InlineData(16)]
    [InlineData(100_000)]
    public void A_partial_read_into_memory_touches_no_more_than_it_read(int size) => RunPair(async (left, right) =>
    {
        byte[] target = new byte[size];
        target.AsSpan().Fill((byte)'.');
        await Buffer(left, right, "12345");
        Assert.Equal(5, await right.ReadIntoAsync(target, partial: true));
        Assert.Equal("12345.", Text(target.AsSpan(0, 6)));
        Assert.DoesNotContain((byte)'1', target[5..]);
    });

    [Theory]
    [InlineData(4096)]
    [InlineData(70_000)]
    [InlineData(1_100_000)]
    public void Large_reads_are_exact(int size) => RunPair(async (left, right) =>
    {
        if (Transport.IsBytewise) size = Math.Min(size, 100_000);
        byte[] data = RandomBytes(new Random(size), (2 * size) + 3);
        Task write = left.WriteAsync((ReadOnlyMemory<byte>)data).AsTask();
        AssertSame(data.AsMemory(0, size), await right.ReadBytesAsync(size));
        byte[] target = new byte[size];
        Assert.Equal(size, await right.ReadIntoAsync(target));
        AssertSame(data.AsMemory(size, size), target);
        AssertSame(data.AsMemory(2 * size), await right.ReadBytesAsync(3));
        await write;
    });

    [Theory]
    [InlineData(16, true)]
    [InlineData(16, false)]
    [InlineData(100_000, true)]
    [InlineData(100_000, false)]
    public void Reclaimed_memory_fails_its_read_only(int size, bool isBuffered) => RunPair(async (left, right) =>
    {
        using LentMemory lent = new(size);
        if (isBuffered) await Buffer(left, right, "all of it");
        if (isBuffered) lent.Reclaim();
        ValueTask<int> read = right.ReadIntoAsync(lent.Lend());
        lent.Reclaim();
        if (!isBuffered) await left.WriteAsync("all of it"u8);
        await AssertFails<ObjectDisposedException>(read);
        Assert.False(right.IsReading);
        Assert.False(right.IsClosed);
        await AssertReads("all of it", right.ReadBytesAsync(9));
    });

    [Theory]
    [InlineData(16)]
    [InlineData(100_000)]
    public void Memory_reclaimed_while_it_is_filled_gets_nothing_more(int size) => RunPair(async (left, right) =>
    {
        using LentMemory lent = new(size);
        ValueTask<int> read = right.ReadIntoAsync(lent.Lend());
        left.Write("lost"u8);
        while (!lent.GetSpan().StartsWith("lost"u8)) await Turn();
        lent.Reclaim();
        await left.WriteAsync("kept"u8);
        await AssertFails<ObjectDisposedException>(read);
        await AssertReads("kept", right.ReadBytesAsync(4));
    });

    [Theory]
    [InlineData(16)]
    [InlineData(100_000)]
    public void Cancelling_a_read_into_reclaimed_memory_reports_lost_bytes(int size) => RunPair(async (left, right) =>
    {
        using CancellationTokenSource cancellation = new();
        using LentMemory lent = new(size);
        ValueTask<int> read = right.ReadIntoAsync(lent.Lend(), cancellationToken: cancellation.Token);
        left.Write("lost"u8);
        while (!lent.GetSpan().StartsWith("lost"u8)) await Turn();
        lent.Reclaim();
        cancellation.Cancel();
        await AssertFails<ObjectDisposedException>(read);
        await left.WriteAsync("kept"u8);
        await AssertReads("kept", right.ReadBytesAsync(4));
    });

    /// <summary>Memory that its owner may dispose.</summary>
    private sealed class LentMemory(int size) : MemoryManager<byte>
    {
        private byte[]? _array = new byte[size];

        internal Memory<byte> Lend() => CreateMemory(size);

        internal void Reclaim() => _array = null;

        public override Span<byte> GetSpan() => _array ?? throw new ObjectDisposedException(nameof(LentMemory));

        public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing) => Reclaim();
    }
}
