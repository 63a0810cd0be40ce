using System.Buffers.Text;
using Waterspout;

namespace Snippets;

internal static class Messages
{
    private static readonly ReadOnlyMemory<byte>[] s_ends = ["\r\n"u8.ToArray(), "\n"u8.ToArray(), ";"u8.ToArray()];

    // A RESP integer: ":1000\r\n".
    internal static bool TryParseInteger(ReadOnlySpan<byte> data, out int consumed, out long message, out int needed)
    {
        consumed = needed = 0;
        message = 0;
        int end = data.IndexOf("\r\n"u8);
        if (end < 0) return false;
        if (data[0] != ':' || !Utf8Parser.TryParse(data[1..end], out message, out int length) || length != end - 1) throw new FormatException("An integer was expected.");
        consumed = end + 2;
        return true;
    }

    internal static async Task<long> ReadInteger(IOStream stream)
    {
        long number = await stream.ReadMessageAsync<long>(TryParseInteger, maxBytes: 64);
        return number;
    }

    internal static async Task ReadRecords(IOStream stream, bool isPaused)
    {
        bool hasMore = await stream.ReadMessagesAsync<ReadOnlySpan<byte>>(TryFindRecord, record =>
        {
            Consume(record);
            return !isPaused; // false ends the read behind this record, to wait for something else
        }, maxBytes: 4096);
        if (!hasMore) Console.WriteLine("The peer has ended the stream, between two records.");
    }

    internal static async Task<Order> ReadFrames(IOStream stream)
    {
        byte[] frame = await stream.ReadFrameAsync(new FrameLength(4), maxBytes: 1_000_000);
        Order order = await stream.ReadFrameAsync(FrameLength.Varint, static data => Order.Parse(data), maxBytes: 65536); // without a copy
        Consume(frame);
        return order;
    }

    internal static async Task<string?> ReadLines(IOStream stream)
    {
        string? greeting = await stream.ReadLineAsync(maxBytes: 512); // LF or CR LF; null at the end of the stream
        await stream.WriteLineAsync("HELO me");                      // LF, or CR LF with IOStreamOptions.NewLine
        (byte[] command, int which) = await stream.ReadUntilAnyAsync(s_ends, maxBytes: 512);
        return greeting + command.Length + which;
    }

    internal static async Task<string?> ReadLimited(IOStream stream)
    {
        try
        {
            return await stream.ReadLineAsync(maxBytes: 512);
        }
        catch (UnsatisfiableReadException)
        {
            await stream.WriteLineAsync("500 Line too long");
            await stream.DiscardUntilAsync("\n"u8);
            return "";
        }
    }

    internal static async Task<int> ReadWithState(IOStream stream, Codec codec, Queue queue)
    {
        int count = await stream.ReadUntilAsync("\r\n"u8, codec, static (line, codec) => codec.Decode(line));
        await stream.SplitAsync("\n"u8, queue, static (line, queue) => queue.Add(line));
        return count;
    }

    private static bool TryFindRecord(ReadOnlySpan<byte> data, out int consumed, out ReadOnlySpan<byte> message, out int needed)
    {
        const int Length = 16;
        bool isWhole = data.Length >= Length;
        (consumed, needed) = isWhole ? (Length, 0) : (0, Length - data.Length);
        message = data[..consumed];
        return isWhole;
    }

    private static void Consume(ReadOnlySpan<byte> data) => _ = data;

    internal readonly record struct Order(int Length)
    {
        internal static Order Parse(ReadOnlySpan<byte> data) => new(data.Length);
    }

    internal sealed class Codec
    {
        private int _lines;

        internal int Decode(ReadOnlySpan<byte> line) => line.Length + ++_lines;
    }

    internal sealed class Queue
    {
        private int _bytes;

        internal bool Add(ReadOnlySpan<byte> line) => (_bytes += line.Length) < 1_000_000;
    }
}
