using System.Text.RegularExpressions;
using Waterspout.Reads;
using Waterspout.Searching;

namespace Waterspout.Tests;

public sealed class RegexReadTests : LoopTest
{
    [Fact]
    public void A_read_that_ends_without_a_result_keeps_no_text() => Run(() =>
    {
        (IOStream left, IOStream right) = IOStream.CreatePair();
        RegexScanner scanner = new(new Regex("x"));
        ReadBuffer buffer = new();
        RegexRead read = RegexRead.Rent(scanner, null);
        read.Owner = right;
        buffer.Append(new byte[5000]);
        Assert.Equal(ReadProgress.Pending, read.TryFinish(buffer));
        Assert.True(scanner.HoldsMemory);

        read.Unread(buffer);
        Assert.False(scanner.HoldsMemory);
        Assert.Equal(5000, buffer.Length);

        // Everything is searched afterwards, as before.
        buffer.Append("x"u8);
        Assert.Equal(ReadProgress.Finished, read.TryFinish(buffer));
        Assert.Equal(0, buffer.Length);
        left.Close();
        right.Close();
        return Task.CompletedTask;
    });
}
