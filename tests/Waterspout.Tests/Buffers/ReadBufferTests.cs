using System.Runtime.CompilerServices;
using Waterspout.Reads;

namespace Waterspout.Tests;

public sealed class ReadBufferTests
{
    [Theory]
    [InlineData(1, 64)]
    [InlineData(2, 1_000)]
    [InlineData(3, 20_000)]
    [InlineData(4, 200_000)]
    public void Random_operations_agree_with_a_list(int seed, int largest)
    {
        Random random = new(seed);
        ReadBuffer buffer = new();
        List<byte> model = [];
        for (int i = 0; i < (largest < 100_000 ? 4_000 : 1_000); i++)
        {
            Operate(buffer, model, random, largest);
            Assert.Equal(model.Count, buffer.Length);
            if (i % 10 == 0) Assert.True(buffer.Data.SequenceEqual([.. model]), $"Different after step {i}.");
            if (model.Count == 0 && largest < 100_000) Assert.True(buffer.Length == 0);
        }

        Assert.True(buffer.Data.SequenceEqual([.. model]));
        buffer.Release();
        Assert.Empty(ArrayOf(buffer));
    }

    [Theory]
    [InlineData(600_000_000)] // times 4 overflows an int
    [InlineData(1_200_000_000)] // times 2 overflows
    public void An_array_that_is_full_is_kept_however_large_it_is(int length)
    {
        ReadBuffer buffer = new();
        buffer.GetSpace(length, length);
        buffer.Commit(length);
        byte[] array = ArrayOf(buffer);
        buffer.Trim();
        Assert.Same(array, ArrayOf(buffer));
        buffer.Release();
    }

    [Fact]
    public void An_empty_buffer_holds_no_array()
    {
        ReadBuffer buffer = new();
        Assert.Empty(ArrayOf(buffer));
        buffer.Append("abc"u8);
        Assert.NotEmpty(ArrayOf(buffer));
        buffer.Consume(1);
        Assert.Equal("bc"u8, buffer.TakeArray(2));
        Assert.Empty(ArrayOf(buffer));
    }

    [Fact]
    public void Space_that_nothing_came_into_is_given_back_when_the_stream_waits()
    {
        ReadBuffer buffer = new();
        buffer.GetSpace(1, 65_536);
        Assert.NotEmpty(ArrayOf(buffer));
        buffer.Trim();
        Assert.Empty(ArrayOf(buffer));
    }

    [Fact]
    public void A_large_array_with_little_in_it_is_exchanged_for_a_small_one()
    {
        ReadBuffer buffer = new();
        buffer.Append(new byte[200_000]);
        buffer.Consume(199_990);
        buffer.Trim();
        Assert.Equal(10, buffer.Length);
        Assert.True(ArrayOf(buffer).Length <= 16 * 1024);
    }

    [Fact]
    public void Each_byte_is_moved_a_bounded_number_of_times()
    {
        // As much is appended as consumed, after a remainder that stays: the array must not grow.
        ReadBuffer buffer = new();
        buffer.Append(new byte[1_000]);
        for (int i = 0; i < 10_000; i++)
        {
            buffer.Append(new byte[1_000]);
            buffer.Consume(1_000);
        }

        Assert.Equal(1_000, buffer.Length);
        Assert.True(ArrayOf(buffer).Length <= 16 * 1024);
    }

    [Fact]
    public void What_is_put_back_comes_first()
    {
        ReadBuffer buffer = new();
        buffer.Append("cdef"u8);
        buffer.Unread("ab"u8);
        Assert.True(buffer.Data.SequenceEqual("abcdef"u8));
        Assert.Equal("abc"u8, buffer.TakeArray(3));
        buffer.Unread("xy"u8);
        Assert.True(buffer.Data.SequenceEqual("xydef"u8));
    }

    private static void Operate(ReadBuffer buffer, List<byte> model, Random random, int largest)
    {
        byte[] data = new byte[random.Next(largest)];
        random.NextBytes(data);
        int count = random.Next(model.Count + 1);
        switch (random.Next(7))
        {
            case 0:
                buffer.Append(data);
                model.AddRange(data);
                break;
            case 1:
                Span<byte> space = buffer.GetSpace(Math.Max(1, data.Length), 512).Span;
                Assert.True(space.Length >= Math.Max(1, data.Length));
                data.CopyTo(space);
                buffer.Commit(data.Length);
                model.AddRange(data);
                break;
            case 2:
                byte[] expected = [.. model.Take(count)];
                Assert.Equal(expected, buffer.TakeArray(count));
                model.RemoveRange(0, count);
                break;
            case 3:
                buffer.Unread(data.AsSpan(0, data.Length / 4));
                model.InsertRange(0, data.Take(data.Length / 4));
                break;
            case 4:
                buffer.Trim();
                break;
            default:
                buffer.Consume(count);
                model.RemoveRange(0, count);
                break;
        }

        if (model.Count == 0 && random.Next(2) == 0) CheckHoldsNothing(buffer);
    }

    private static void CheckHoldsNothing(ReadBuffer buffer)
    {
        buffer.Trim();
        Assert.Empty(ArrayOf(buffer));
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_array")]
    private static extern ref byte[] ArrayOf(ReadBuffer buffer);
}
