using System.Text.RegularExpressions;

namespace Waterspout.Tests;

/// <summary>Random use, checked against known data. A failure shows its seed.</summary>
[Contract(Aspects.Random)]
public sealed class RandomContract : StreamContract
{
    // Characters that make the expressions below meet parts of themselves all the time.
    private const string Alphabet = "aabbc01\r\n";

    private static readonly string[] s_patterns =
        ["\r\n", "\\d+\r", "(?<=ab)c0", "a{2,3}b0", "\\b01\\b", "c(?!a)[b0]1", "(a|b)c\\1", "[^\n]*\n\n", "10$", "(?:ab)+c\r?\n", "(?>a+)b1"];

    [Fact]
    public void A_megabyte_in_random_pieces_is_read_whole_by_a_mix_of_all_reads()
    {
        Random random = NewRandom();
        byte[] data = RandomBytes(random, Transport.Rounds(1_000_000));
        RunPair(async (left, right) =>
        {
            Task write = WriteAtRandom(left, data, new Random(random.Next()));
            int at = 0;
            while (at < data.Length)
            {
                byte[] result = await RandomReads.Start(right, data.AsMemory(at), random);
                AssertSame(data.AsMemory(at, result.Length), result);
                at += result.Length;
            }

            Assert.Empty(await right.ReadUntilCloseAsync());
            await write;
        }, new IOStreamOptions { ReadChunkSize = random.Next(1, 3) switch { 1 => random.Next(1, 2000), _ => 65_536 } });
    }

    [Fact]
    public void A_regex_read_agrees_with_a_search_of_the_text_so_far()
    {
        Random random = NewRandom();
        RunPair(async (left, right) =>
        {
            int found = 0;
            for (int i = 0; i < 200; i++)
            {
                string text = RandomText(random, random.Next(1, 60));
                if (random.Next(3) == 0) text = new string('c', random.Next(500, 3000)) + text;
                string pattern = s_patterns[random.Next(s_patterns.Length)];
                if (await ReadAndCompare(left, right, text, pattern, random)) found++;
            }

            Assert.True(found > 5, $"Only {found} expressions were found in their texts.");
        });
    }

    private async Task<bool> ReadAndCompare(BaseIOStream left, BaseIOStream right, string text, string pattern, Random random)
    {
        using CancellationTokenSource cancellation = new();
        Task<byte[]> read = right.ReadUntilRegexAsync(pattern, cancellationToken: cancellation.Token).AsTask();
        Regex regex = new(pattern);
        int at = 0;
        while (at < text.Length)
        {
            // Small enough to be received at once; otherwise the text so far would not be known.
            int step = Math.Min(Transport.IsBytewise ? 1 : random.Next(1, random.Next(2) == 0 ? 5 : 500), text.Length - at);
            await SendAlone(left, Bytes(text[at..(at + step)]));
            at += step;
            if (regex.Match(text[..at]) is not { Success: true } match) continue;

            int end = match.Index + match.Length;
            Assert.Equal(text[..end], Text(await read));
            await AssertReads(text[end..at], right.ReadBytesAsync(at - end));
            return true;
        }

        Assert.False(read.IsCompleted, $"A match of {pattern} was found where there is none.");
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        await AssertReads(text, right.ReadBytesAsync(text.Length));
        return false;
    }

    private static string RandomText(Random random, int length) => new(random.GetItems<char>(Alphabet, length));

    private async Task WriteAtRandom(BaseIOStream stream, byte[] data, Random random)
    {
        for (int at = 0, count; at < data.Length; at += count)
        {
            count = Math.Min(random.Next(1, random.Next(20) == 0 ? 100_000 : 3000), data.Length - at);
            if (random.Next(3) == 0) stream.Write(data.AsSpan(at, count));
            else await stream.WriteAsync(data.AsMemory(at, count));
            if (random.Next(3) == 0) await Turn();
        }

        await stream.CloseAsync();
    }
}
