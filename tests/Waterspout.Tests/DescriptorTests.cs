using Waterspout.Interop;

namespace Waterspout.Tests;

/// <summary>The type of file descriptors.</summary>
public sealed class DescriptorTests
{
    [Fact]
    public void A_field_without_a_value_is_no_descriptor()
    {
        Descriptor[] fields = new Descriptor[1];
        Assert.Equal(Descriptor.None, fields[0]);
        Assert.False(fields[0].IsOpen);
        Assert.Equal(-1, fields[0].Number);
        Assert.Equal(Descriptor.None, new Descriptor(-5));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(int.MaxValue - 1)]
    public void A_closed_descriptor_keeps_its_name_and_loses_its_number(int number)
    {
        Descriptor open = new(number), closed = open.AsClosed();
        Assert.True(open.IsOpen);
        Assert.Equal(number, open.Number);
        Assert.False(closed.IsOpen);
        Assert.Equal(-1, closed.Number);
        Assert.Equal(closed, closed.AsClosed());
        Assert.All([open.ToString(), closed.ToString()], name => Assert.Equal($"{number}", name));
    }

    [Fact]
    public void A_descriptor_is_taken_out_of_a_field_once()
    {
        Descriptor field = new(3);
        Assert.Equal(3, Descriptor.Take(ref field).Number);
        Assert.False(Descriptor.Take(ref field).IsOpen);
    }

    [Fact]
    public void The_highest_integer_is_no_descriptor() => Assert.Equal(-1, new Descriptor(int.MaxValue).Number);
}
