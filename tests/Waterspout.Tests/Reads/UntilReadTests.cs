using System.Runtime.InteropServices;
using Waterspout.Reads;

namespace Waterspout.Tests;

public sealed class UntilReadTests : LoopTest
{
    [Fact]
    public void A_delimiter_search_does_not_rescan() => Run(() =>
    {
        (IOStream left, IOStream right) = IOStream.CreatePair();
        ReadBuffer buffer = new();
        UntilRead<int> read = UntilRead<int>.Rent("\r\n"u8, 0, null, static data => data.Length);
        read.Owner = right;
        buffer.Append("0123456789"u8);
        Assert.Equal(ReadProgress.Pending, read.TryFinish(buffer));

        // Changes data that was already searched: a search that started over would find it.
        "\r\n"u8.CopyTo(MemoryMarshal.CreateSpan(ref MemoryMarshal.GetReference(buffer.Data), 2));
        buffer.Append("abc"u8);
        Assert.Equal(ReadProgress.Pending, read.TryFinish(buffer));
        buffer.Append("\r\n"u8);
        Assert.Equal(ReadProgress.Finished, read.TryFinish(buffer));
        Assert.Equal(0, buffer.Length);
        left.Close();
        right.Close();
        return Task.CompletedTask;
    });
}
