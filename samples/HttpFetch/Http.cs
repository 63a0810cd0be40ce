using System.Globalization;
using System.Text;
using Waterspout;

namespace HttpFetch;

/// <summary>One HTTP/1.1 request and its answer, on a connected stream.</summary>
internal static class Http
{
    private const int LongestHead = 64 * 1024;
    private const int LongestLine = 4096;

    /// <summary>Requests a page, and copies the head and the body of the answer as they arrive.</summary>
    internal static async Task GetAsync(IOStream stream, Uri url, Stream output)
    {
        string host = new UriBuilder(url) { Host = url.IdnHost }.Uri.Authority; // in ASCII
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET {url.PathAndQuery} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
        try
        {
            HttpHead head;
            do head = HttpHead.Parse(await stream.ReadUntilRegexAsync(@"\r?\n\r?\n", LongestHead));
            while (head.Status < 200); // 100 Continue and the like only announce the answer
            output.Write(head.Bytes);
            if (head.Status is 204 or 304) return;
            if (head.IsChunked) await CopyChunksAsync(stream, output);
            else await CopyAsync(stream, head.ContentLength, output); // without a length, the body ends at EOF
        }
        catch (StreamClosedException end) when (end.Reason == CloseReason.EndOfStream)
        {
            throw new InvalidDataException("The answer is cut off: the server closed the connection in the middle of it.");
        }
    }

    private static async Task CopyChunksAsync(IOStream stream, Stream output)
    {
        while (await ReadSizeAsync(stream) is > 0 and var size)
        {
            await CopyAsync(stream, size, output);
            if (await ReadLineAsync(stream) != "") throw new InvalidDataException("Malformed answer: a chunk is longer than its size.");
        }

        await stream.ReadUntilRegexAsync(@"\A\r?\n|\n\r?\n", LongestHead); // trailers, which are ignored
    }

    private static async Task<long> ReadSizeAsync(IOStream stream) =>
        long.TryParse((await ReadLineAsync(stream)).Split(';')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out long size) && size >= 0
            ? size
            : throw new InvalidDataException("Malformed answer: a chunk without a size.");

    private static async Task<string> ReadLineAsync(IOStream stream) =>
        await stream.ReadUntilAsync("\n"u8, static line => Encoding.Latin1.GetString(line).TrimEnd('\r', '\n'), LongestLine);

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
}
