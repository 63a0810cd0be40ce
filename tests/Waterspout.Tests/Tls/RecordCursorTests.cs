using Waterspout.Tls;

namespace Waterspout.Tests.Tls;

public sealed class RecordCursorTests
{
    private const int Full = 5 + 16401;

    [Fact]
    public void A_limit_ends_where_a_record_does()
    {
        RecordCursor cursor = default;
        Assert.Equal(32768, cursor.Limit(32768)); // nothing is known
        cursor.Advance(Record(Full).AsSpan(0, 105));
        Assert.Equal(Full - 105, cursor.Limit(32768 - 105));
        Assert.Equal(50, cursor.Limit(50)); // not even the rest of this one
        cursor.Advance(Record(Full).AsSpan(105));
        Assert.Equal(Full, cursor.Limit(32768));
        Assert.Equal(2 * Full, cursor.Limit(40_000));
        Assert.Equal(1000, cursor.Limit(1000));
    }

    [Fact]
    public void However_the_bytes_are_cut_the_records_are_the_same()
    {
        Random random = new(1);
        byte[] stream = [.. Record(5), .. Record(100), .. Record(6), .. Record(Full), .. Record(29), .. Record(700)];
        for (int round = 0; round < 200; round++)
        {
            RecordCursor cursor = default;
            for (int at = 0; at < stream.Length;)
            {
                int count = Math.Min(random.Next(1, round < 100 ? 4 : 400), stream.Length - at);
                at += cursor.Advance(stream.AsSpan(at, count));
            }

            Assert.Equal(1400, cursor.Limit(1500));
        }
    }

    [Fact]
    public void It_stops_at_the_end_of_a_record()
    {
        byte[] stream = [.. Record(27), .. Record(5), .. Record(100), .. Record(Full)];
        RecordCursor cursor = default;
        Assert.Equal(27, cursor.Advance(stream));
        Assert.Equal(5, cursor.Advance(stream.AsSpan(27)));
        Assert.Equal(3, cursor.Advance(stream.AsSpan(32, 3)));
        Assert.Equal(97, cursor.Advance(stream.AsSpan(35)));
        Assert.Equal(2000, cursor.Advance(stream.AsSpan(132, 2000)));
        Assert.Equal(Full - 2000, cursor.Advance(stream.AsSpan(2132)));
    }

    [Fact]
    public void Records_without_data_come_together_with_the_next_one_that_may_hold_some()
    {
        byte[] stream = [.. Record(6, type: 20), .. Record(80, type: 22), .. Record(100), .. Record(29)];
        RecordCursor cursor = default;
        Assert.Equal(50, cursor.AdvanceToData(stream.AsSpan(0, 50)));
        Assert.False(cursor.IsInApplicationData);
        Assert.Equal(136, cursor.AdvanceToData(stream.AsSpan(50)));
        Assert.True(cursor.IsInApplicationData);
        Assert.Equal(28, cursor.AdvanceToData(stream.AsSpan(186, 28)));
        Assert.Equal(1, cursor.AdvanceToData(stream.AsSpan(214)));
    }

    [Theory]
    [InlineData(21)] // an alert
    [InlineData('G')]
    [InlineData(0)]
    public void Any_other_record_comes_alone(byte other)
    {
        byte[] stream = [.. Record(80, type: 22), .. Record(27, other), .. Record(40, type: 22), .. Record(10, other)];
        RecordCursor cursor = default;
        Assert.Equal(80, cursor.AdvanceToData(stream));
        Assert.Equal(27, cursor.AdvanceToData(stream.AsSpan(80)));
        Assert.Equal(40, cursor.AdvanceToData(stream.AsSpan(107)));
        Assert.Equal(10, cursor.AdvanceToData(stream.AsSpan(147)));
    }

    /// <summary>A record of this number of bytes, with its header.</summary>
    private static byte[] Record(int size, byte type = 23)
    {
        byte[] record = new byte[size];
        (record[0], record[1], record[2], record[3], record[4]) = (type, 3, 3, (byte)((size - 5) >> 8), (byte)(size - 5));
        return record;
    }
}
