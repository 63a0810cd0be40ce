using System.Globalization;
using System.Text;
using Waterspout;

namespace HttpFetch;

/// <summary>One request of HTTP/1.1, and its answer, on a connected stream.</summary>
internal static class HttpExchange
{
    private const int LongestHead = 64 * 1024;
    private const int LongestLine = 4096;

    /// <summary>Requests a page, and copies the head and the body of the answer as they come.</summary>
    internal static async Task GetAsync(IOStream stream, Uri url, Stream output)
    {
        string request = $"GET {url.PathAndQuery} HTTP/1.1\r\nHost: {url.Authority}\r\nUser-Agent: HttpFetch\r\nAccept: */*\r\nConnection: close\r\n\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request));
        try
        {
            HttpHead head = await ReadHeadAsync(stream);
            output.Write(head.Bytes);
            await CopyBodyAsync(stream, head, output);
        }
        catch (StreamClosedException end) when (end.Reason == CloseReason.EndOfStream)
        {
            throw new InvalidDataException("The answer is cut off: the server closed the connection in the middle of it.");
        }
    }

    private static async Task<HttpHead> ReadHeadAsync(IOStream stream)
    {
        while (true)
        {
            HttpHead head = HttpHead.Parse(await stream.ReadUntilRegexAsync(@"\r?\n\r?\n", LongestHead));
            // 100 Continue and its like only announce the answer.
            if (head.Status >= 200) return head;
        }
    }

    private static async Task CopyBodyAsync(IOStream stream, HttpHead head, Stream output)
    {
        if (head.HasNoBody) return;
        if (head.IsChunked) await CopyChunksAsync(stream, output);
        else if (head.ContentLength is { } length) await CopyAsync(stream, length, output);
        else await CopyAsync(stream, null, output); // the end of the connection is the end of the body
    }

    private static async Task CopyChunksAsync(IOStream stream, Stream output)
    {
        while (ParseSize(await stream.ReadUntilAsync("\n"u8, LongestLine)) is > 0 and var size)
        {
            await CopyAsync(stream, size, output);
            byte[] end = await stream.ReadUntilAsync("\n"u8, LongestLine);
            if (!end.AsSpan().Trim("\r\n"u8).IsEmpty) throw new InvalidDataException("Malformed answer: a chunk is longer than its size.");
        }

        // Trailers, which nobody asked for, and a blank line.
        while ((await stream.ReadUntilAsync("\n"u8, LongestLine)).Length > "\r\n".Length)
        {
        }
    }

    private static async Task CopyAsync(IOStream stream, long? count, Stream output)
    {
        long copied = 0;
        await foreach (ReadOnlyMemory<byte> piece in stream.ReadChunksAsync(count))
        {
            output.Write(piece.Span);
            copied += piece.Length;
        }

        if (copied < count) throw new InvalidDataException($"The answer is cut off: {copied} bytes of {count} came.");
    }

    private static long ParseSize(byte[] line)
    {
        string size = Encoding.Latin1.GetString(line).Split(';')[0].Trim();
        return long.TryParse(size, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long value) && value >= 0
            ? value
            : throw new InvalidDataException("Malformed answer: a chunk without a size.");
    }
}
