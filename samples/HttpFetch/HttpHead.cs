using System.Text;
using System.Text.RegularExpressions;

namespace HttpFetch;

/// <summary>The status line and the headers of an answer.</summary>
internal sealed record HttpHead(byte[] Bytes, int Status, ILookup<string, string> Headers)
{
    internal bool IsChunked => Headers["Transfer-Encoding"].LastOrDefault()?.EndsWith("chunked", StringComparison.OrdinalIgnoreCase) ?? false;

    internal long? ContentLength => Headers["Content-Length"].Distinct().ToArray() switch
    {
        [] => null,
        [string length] when Regex.IsMatch(length, @"^\d{1,18}$") => long.Parse(length),
        _ => throw new InvalidDataException("Malformed answer: its Content-Length is not one number."),
    };

    internal static HttpHead Parse(byte[] bytes)
    {
        string[] lines = Encoding.Latin1.GetString(bytes).TrimEnd().Split('\n');
        Match status = Regex.Match(lines[0], @"^HTTP/1\.\d ([1-9]\d\d)\b");
        if (!status.Success) throw new InvalidDataException("Malformed answer: it does not begin with a status line of HTTP/1.");
        if (!lines.Skip(1).All(line => line.IndexOf(':') > 0)) throw new InvalidDataException("Malformed answer: a header without a colon.");
        ILookup<string, string> headers = lines.Skip(1).Select(line => line.Split(':', 2)).ToLookup(pair => pair[0], pair => pair[1].Trim(), StringComparer.OrdinalIgnoreCase);
        return new HttpHead(bytes, int.Parse(status.Groups[1].Value), headers);
    }
}
