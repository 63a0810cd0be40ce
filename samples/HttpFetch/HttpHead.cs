using System.Globalization;
using System.Text;

namespace HttpFetch;

/// <summary>The status line and the headers of an answer.</summary>
internal sealed record HttpHead(byte[] Bytes, int Status, ILookup<string, string> Headers)
{
    internal bool HasNoBody => Status is 204 or 304;

    internal bool IsChunked => Headers["Transfer-Encoding"].LastOrDefault()?.EndsWith("chunked", StringComparison.OrdinalIgnoreCase) ?? false;

    internal long? ContentLength
    {
        get
        {
            string[] values = [.. Headers["Content-Length"].Distinct()];
            if (values.Length == 0) return null;
            return values.Length == 1 && long.TryParse(values[0], NumberStyles.None, CultureInfo.InvariantCulture, out long length)
                ? length
                : throw new InvalidDataException("Malformed answer: its Content-Length is not one number.");
        }
    }

    internal static HttpHead Parse(byte[] bytes)
    {
        string[] lines = Encoding.Latin1.GetString(bytes).TrimEnd().Split('\n');
        string[] status = lines[0].Split(' ', 3);
        if (!status[0].StartsWith("HTTP/1.", StringComparison.Ordinal) || status.Length < 2 || !int.TryParse(status[1], NumberStyles.None, CultureInfo.InvariantCulture, out int code) || code is < 100 or > 999)
            throw new InvalidDataException("Malformed answer: it does not begin with a status line of HTTP/1.");
        return new HttpHead(bytes, code, lines.Skip(1).Select(ParseHeader).ToLookup(header => header.Name, header => header.Value, StringComparer.OrdinalIgnoreCase));
    }

    private static (string Name, string Value) ParseHeader(string line)
    {
        int colon = line.IndexOf(':');
        return colon > 0 ? (line[..colon], line[(colon + 1)..].Trim()) : throw new InvalidDataException("Malformed answer: a header without a colon.");
    }
}
