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
        // What is dropped or handed over before a read fails is not to be had again.
        bool mayFail = cancellationToken.CanBeCanceled || stream.Options.ReadTimeout is not null;
        switch (random.Next(16))
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
            case 6:
                return await Message(stream, count, random, cancellationToken);
            case 7:
                return await Messages(stream, count, mayFail ? count : random.Next(1, count + 1), cancellationToken);
            case 8:
                return await Frame(stream, expected, random, cancellationToken);
            case 9 when !mayFail:
                await stream.DiscardAsync(count, cancellationToken);
                return expected[..count].ToArray();
            default:
                return await Until(stream, expected, count, random.Next(mayFail ? 6 : 7), random, cancellationToken);
        }
    }

    // Up to bytes of the data, which are found earlier if they occur earlier.
    private static async Task<byte[]> Until(BaseIOStream stream, ReadOnlyMemory<byte> expected, int count, int kind, Random random, CancellationToken cancellationToken)
    {
        byte[] delimiter = expected[Math.Max(0, count - random.Next(1, 5))..count].ToArray();
        int end = expected.Span.IndexOf(delimiter) + delimiter.Length;
        byte[] result = kind switch
        {
            0 => await stream.ReadUntilAsync(delimiter, static data => data.ToArray(), end, cancellationToken),
            1 => await stream.ReadUntilRegexAsync(string.Concat(delimiter.Select(value => $"\\x{value:x2}")), end, cancellationToken),
            2 => await FirstPiece(stream, delimiter, cancellationToken),
            3 => (await stream.ReadUntilAnyAsync([delimiter, (byte[])[1, .. delimiter, 1]], end, cancellationToken)).Data,
            4 => await stream.ReadUntilAsync(delimiter, end, static (data, end) => data[..end].ToArray(), end, cancellationToken),
            6 => expected[..(int)await stream.DiscardUntilAsync(delimiter, cancellationToken)].ToArray(),
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

    private static async Task<byte[]> Message(BaseIOStream stream, int count, Random random, CancellationToken cancellationToken)
    {
        bool saysHowMany = random.Next(2) == 0;
        return await stream.ReadMessageAsync((ReadOnlySpan<byte> data, out int consumed, out byte[] message, out int needed) =>
        {
            bool isWhole = data.Length >= count;
            (consumed, message) = isWhole ? (count, data[..count].ToArray()) : (0, []);
            needed = saysHowMany && !isWhole ? count - data.Length : 0;
            return isWhole;
        }, count, cancellationToken);
    }

    // Messages of one length, but for the last.
    private static async Task<byte[]> Messages(BaseIOStream stream, int count, int length, CancellationToken cancellationToken)
    {
        List<byte> all = [];
        await stream.ReadMessagesAsync((ReadOnlySpan<byte> data, out int consumed, out ReadOnlySpan<byte> message, out int needed) =>
        {
            int next = Math.Min(length, count - all.Count);
            bool isWhole = data.Length >= next;
            message = isWhole ? data[..next] : default;
            (consumed, needed) = (message.Length, isWhole ? 0 : next - data.Length);
            return isWhole;
        }, message =>
        {
            all.AddRange(message);
            return all.Count < count;
        }, length, cancellationToken);
        return [.. all];
    }

    // What comes next is the length, if there is as much.
    private static async Task<byte[]> Frame(BaseIOStream stream, ReadOnlyMemory<byte> expected, Random random, CancellationToken cancellationToken)
    {
        FrameLength length = new(random.Next(1, 3), isLittleEndian: random.Next(2) == 0);
        int header = length.Read(expected.Span, out ulong following);
        int total = header + (int)following;
        if (header == 0 || total > expected.Length) return [];
        byte[] body = await stream.ReadFrameAsync(length, (int)Math.Max(1, following), cancellationToken);
        return [.. expected[..header].Span, .. body];
    }
}
