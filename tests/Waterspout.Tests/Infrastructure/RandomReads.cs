namespace Waterspout.Tests;

/// <summary>Reads of all kinds, chosen at random, of known data.</summary>
internal static class RandomReads
{
    private const int Longest = 5000;

    /// <summary>Starts a read that ends within <paramref name="expected"/>, and checks what is known of its length.</summary>
    /// <returns>The consumed bytes: none, after a peek.</returns>
    internal static async Task<byte[]> Start(BaseIOStream stream, ReadOnlyMemory<byte> expected, Random random, CancellationToken cancellationToken = default)
    {
        int count = Math.Min(random.Next(1, random.Next(10) == 0 ? 40_000 : Longest), expected.Length);
        byte[] target = new byte[count];
        switch (random.Next(10))
        {
            case 0:
                return await stream.ReadBytesAsync(count, cancellationToken: cancellationToken);
            case 1:
                return await stream.ReadBytesAsync(count, partial: true, cancellationToken);
            case 2:
                return target[..await stream.ReadIntoAsync(target, cancellationToken: cancellationToken)];
            case 3:
                return target[..await stream.ReadIntoAsync(target, partial: true, cancellationToken)];
            case 4:
                return await stream.ReadBytesAsync(count, static data => data.ToArray(), cancellationToken);
            case 5:
                ReadOnlyMemory<byte> peeked = await stream.PeekAsync(count, cancellationToken);
                Assert.True(expected[..count].Span.SequenceEqual(peeked.Span));
                return [];
            default:
                return await Until(stream, expected, count, random, cancellationToken);
        }
    }

    // Up to bytes of the data, which are found earlier if they occur earlier.
    private static async Task<byte[]> Until(BaseIOStream stream, ReadOnlyMemory<byte> expected, int count, Random random, CancellationToken cancellationToken)
    {
        byte[] delimiter = expected[Math.Max(0, count - random.Next(1, 5))..count].ToArray();
        int end = expected.Span.IndexOf(delimiter) + delimiter.Length;
        byte[] result = random.Next(4) switch
        {
            0 => await stream.ReadUntilAsync(delimiter, static data => data.ToArray(), end, cancellationToken),
            1 => await stream.ReadUntilRegexAsync(string.Concat(delimiter.Select(value => $"\\x{value:x2}")), end, cancellationToken),
            2 => await FirstPiece(stream, delimiter, cancellationToken),
            _ => await stream.ReadUntilAsync(delimiter, end, cancellationToken),
        };
        Assert.Equal(end, result.Length);
        return result;
    }

    private static async Task<byte[]> FirstPiece(BaseIOStream stream, byte[] delimiter, CancellationToken cancellationToken)
    {
        await foreach (byte[] piece in stream.SplitAsync(delimiter, cancellationToken: cancellationToken)) return [.. piece, .. delimiter];
        throw new InvalidOperationException("The stream ended before a piece that was written.");
    }
}
