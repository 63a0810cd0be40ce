using Waterspout.Searching;

namespace Waterspout.Tests;

public sealed class DelimiterScannerTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public void The_ends_are_those_of_one_search_after_the_other_however_the_data_arrives(int length)
    {
        Random random = new(length);
        for (int round = 0; round < 3_000; round++)
        {
            // Few letters, so that delimiters overlap and nearly occur; some hundred bytes, so that they cross vectors.
            int letters = random.Next(2, 20);
            byte[] delimiter = DelimiterTests.Letters(random, length, letters);
            byte[] data = DelimiterTests.Letters(random, random.Next(500), letters);
            int from = 0;
            int scanned = 0;
            for (int arrived = 0; arrived <= data.Length; arrived += random.Next(1, 200))
            {
                from += CheckEnds(data.AsSpan(from, arrived - from), delimiter, scanned);
                scanned = arrived - from;
            }
        }
    }

    [Fact]
    public void What_was_searched_before_is_not_searched_again()
    {
        byte[] data = [.. "\n"u8, .. new byte[200]];
        Assert.Equal(-1, new DelimiterScanner(data, "\n"u8, 1).NextEnd(0));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(200)]
    public void After_the_last_there_is_none_again_and_again(int length)
    {
        byte[] data = [.. new byte[length], (byte)'\n'];
        DelimiterScanner marks = new(data, "\n"u8, 0);
        Assert.Equal(data.Length, marks.NextEnd(0));
        Assert.Equal(-1, marks.NextEnd(data.Length));
        Assert.Equal(-1, marks.NextEnd(data.Length));
    }

    /// <summary>Returns the position after the last delimiter.</summary>
    private static int CheckEnds(ReadOnlySpan<byte> data, byte[] delimiter, int scanned)
    {
        DelimiterScanner marks = new(data, delimiter, scanned);
        int start = 0;
        while (true)
        {
            int index = data[start..].IndexOf(delimiter);
            int end = marks.NextEnd(start);
            Assert.Equal(index < 0 ? -1 : start + index + delimiter.Length, end);
            if (end < 0) return start;
            start = end;
        }
    }
}
