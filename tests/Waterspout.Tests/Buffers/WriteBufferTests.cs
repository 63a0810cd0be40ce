using System.Runtime.CompilerServices;
using Waterspout.Writes;

namespace Waterspout.Tests;

public sealed class WriteBufferTests
{
    [Theory]
    [InlineData(1, 64)]
    [InlineData(2, 1_000)]
    [InlineData(3, 20_000)]
    [InlineData(4, 150_000)]
    public void Random_operations_agree_with_a_list(int seed, int largest)
    {
        Random random = new(seed);
        WriteBuffer buffer = new();
        List<byte> model = [];
        for (int i = 0; i < (largest < 100_000 ? 4_000 : 1_000); i++)
        {
            Operate(buffer, model, random, largest);
            Assert.Equal(model.Count, buffer.Length);
            if (i % 10 == 0) CheckSame(buffer, model);
        }

        CheckSame(buffer, model);
        buffer.Consume(model.Count);
        Assert.Equal(0, buffer.Length);
        Assert.Equal(0, CountOf(buffer));
    }

    [Fact]
    public void What_is_gathered_is_never_more_than_a_call_can_say_that_it_has_sent()
    {
        WriteBuffer buffer = new();
        byte[] large = GC.AllocateUninitializedArray<byte>(1_500_000_000);
        for (int i = 0; i < 4; i++) buffer.AppendUncopied(large);
        Assert.Equal(6_000_000_000, buffer.Length);
        ReadOnlyMemory<byte>[] pieces = new ReadOnlyMemory<byte>[4];
        for (int i = 0; i < 4; i++)
        {
            Assert.Equal(1, buffer.Gather(pieces, out int length));
            Assert.Equal(large.Length, length);
            buffer.Consume(length);
        }

        Assert.True(buffer.IsUnused);
    }

    [Fact]
    public void A_buffer_that_was_sent_holds_no_array()
    {
        WriteBuffer buffer = new();
        buffer.Append(new byte[100_000]);
        Assert.NotEqual(0, CountOf(buffer));
        buffer.Consume(99_999);
        Assert.Equal(1, CountOf(buffer));
        buffer.Consume(1);
        Assert.Equal(0, CountOf(buffer));
    }

    [Fact]
    public void Small_writes_share_an_array()
    {
        WriteBuffer buffer = new();
        for (int i = 0; i < 100; i++) buffer.Append("a small message\r\n"u8);
        Assert.False(buffer.IsScattered);
        Assert.Equal(1_700, buffer.First.Length);
    }

    [Fact]
    public void Memory_of_the_callers_is_not_copied()
    {
        byte[] data = new byte[10_000];
        WriteBuffer buffer = new();
        buffer.AppendUncopied(data);
        data[5] = 7;
        Assert.Equal(7, buffer.First.Span[5]);
    }

    [Fact]
    public void A_reservation_is_committed_once_and_not_beyond_its_size()
    {
        WriteBuffer buffer = new();
        int length = buffer.Reserve(10).Length;
        Assert.True(length >= 10);
        Assert.False(buffer.CommitReserved(length + 1));
        Assert.True(buffer.CommitReserved(3));
        Assert.False(buffer.CommitReserved(1));
        Assert.Equal(3, buffer.Length);
    }

    [Fact]
    public void A_write_ends_a_reservation()
    {
        WriteBuffer buffer = new();
        buffer.Reserve(10);
        buffer.Append("x"u8);
        Assert.False(buffer.CommitReserved(1));
        buffer.Reserve(10);
        buffer.AppendUncopied(new byte[3]);
        Assert.False(buffer.CommitReserved(1));
        Assert.Equal(4, buffer.Length);
    }

    [Fact]
    public void A_reservation_survives_that_everything_before_it_is_sent()
    {
        WriteBuffer buffer = new();
        buffer.Append("before"u8);
        Memory<byte> space = buffer.Reserve(5);
        buffer.Consume(6);
        "after"u8.CopyTo(space.Span);
        Assert.True(buffer.CommitReserved(5));
        Assert.True(buffer.First.Span.SequenceEqual("after"u8));
    }

    [Fact]
    public void Gathering_gives_the_first_pieces_that_there_is_room_for()
    {
        WriteBuffer buffer = new();
        for (byte i = 0; i < 5; i++) buffer.AppendUncopied(new[] { i, i });
        ReadOnlyMemory<byte>[] pieces = new ReadOnlyMemory<byte>[3];
        Assert.Equal(3, buffer.Gather(pieces, out int length));
        Assert.Equal(6, length);
        Assert.Equal([2, 2], pieces[2].ToArray());
    }

    private static void Operate(WriteBuffer buffer, List<byte> model, Random random, int largest)
    {
        byte[] data = new byte[random.Next(largest) + 1];
        random.NextBytes(data);
        switch (random.Next(6))
        {
            case 0:
                buffer.Append(data);
                model.AddRange(data);
                break;
            case 1:
                buffer.AppendUncopied(data);
                model.AddRange(data);
                break;
            case 2:
                Memory<byte> space = buffer.Reserve(data.Length);
                Assert.True(space.Length >= data.Length);
                int written = random.Next(data.Length + 1);
                data.AsSpan(0, written).CopyTo(space.Span);
                Assert.True(buffer.CommitReserved(written));
                model.AddRange(data.AsSpan(0, written));
                break;
            case 3 when random.Next(50) == 0:
                buffer.Clear();
                model.Clear();
                Assert.Equal(0, CountOf(buffer));
                break;
            default:
                int count = random.Next(model.Count + 1);
                buffer.Consume(count);
                model.RemoveRange(0, count);
                break;
        }
    }

    private static void CheckSame(WriteBuffer buffer, List<byte> model)
    {
        ReadOnlyMemory<byte>[] pieces = new ReadOnlyMemory<byte>[CountOf(buffer)];
        int count = buffer.Gather(pieces, out int length);
        Assert.Equal(model.Count, length);
        byte[] all = [.. pieces.Take(count).SelectMany(piece => piece.ToArray())];
        Assert.True(all.AsSpan().SequenceEqual([.. model]));
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_count")]
    private static extern ref int CountOf(WriteBuffer buffer);
}
