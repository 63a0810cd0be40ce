using Waterspout.Searching;

namespace Waterspout.Tests;

public sealed class DelimiterTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(7)]
    public void The_end_is_that_of_the_first_occurrence_however_the_data_arrives(int length)
    {
        Random random = new(length);
        for (int round = 0; round < 3_000; round++)
        {
            // Two letters only, so that the delimiter nearly occurs all the time.
            byte[] delimiter = Letters(random, length);
            byte[] data = Letters(random, random.Next(200));
            int first = data.AsSpan().IndexOf(delimiter);
            int scanned = 0;
            for (int arrived = 0; arrived <= data.Length; arrived += random.Next(1, 20))
            {
                int expected = first >= 0 && first + length <= arrived ? first + length : -1;
                Assert.Equal(expected, Delimiter.FindEnd(data.AsSpan(0, arrived), delimiter, scanned));
                if (expected >= 0) break;
                scanned = arrived;
            }
        }
    }

    [Fact]
    public void What_was_searched_before_is_not_searched_again()
    {
        // The delimiter is at the front, but the search is given that part as already searched.
        byte[] data = [.. "\r\n"u8, .. new byte[100]];
        Assert.Equal(-1, Delimiter.FindEnd(data, "\r\n"u8, 50));
        Assert.Equal(-1, Delimiter.FindEnd(data, "\r"u8, 50));
    }

    /// <summary>From this number of first letters.</summary>
    internal static byte[] Letters(Random random, int length, int count = 2)
    {
        byte[] letters = new byte[length];
        for (int i = 0; i < length; i++) letters[i] = (byte)('a' + random.Next(count));
        return letters;
    }
}
