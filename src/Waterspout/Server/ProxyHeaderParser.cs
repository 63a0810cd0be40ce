using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Waterspout.Errors;
using Waterspout.Interop;

namespace Waterspout.Server;

/// <summary>Headers of the PROXY protocol, version 1 (a line of text) and 2 (binary), as haproxy's specification has them.</summary>
/// <remarks>
/// Strict: what two readers could read differently is not a header. Checksums, which a proxy may add as a TLV, are not verified.
/// </remarks>
internal sealed class ProxyHeaderParser(int maxSize)
{
    private const int LongestText = 107;
    private const int FixedSize = 16; // of version 2, up to and with the length of the rest

    private static ReadOnlySpan<byte> TextStart => "PROXY "u8;

    private static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    /// <exception cref="ProxyHeaderException">The data is not the beginning of a header.</exception>
    internal bool TryParse(ReadOnlySpan<byte> data, out int consumed, out ProxyHeader header, out int needed)
    {
        consumed = needed = 0;
        header = null!;
        if (BeginsWith(data, Signature)) return TryParseBinary(data, ref consumed, ref header, ref needed);
        if (BeginsWith(data, TextStart)) return TryParseText(data, ref consumed, ref header);
        throw new ProxyHeaderException("The connection does not begin with a PROXY header.");
    }

    private static bool BeginsWith(ReadOnlySpan<byte> data, ReadOnlySpan<byte> start)
    {
        int length = Math.Min(data.Length, start.Length);
        return data[..length].SequenceEqual(start[..length]);
    }

    private static bool TryParseText(ReadOnlySpan<byte> data, ref int consumed, ref ProxyHeader header)
    {
        int end = data[..Math.Min(data.Length, LongestText)].IndexOf("\r\n"u8);
        if (end < 0) return data.Length < LongestText ? false : throw Malformed("the line is too long");
        string[] fields = Encoding.Latin1.GetString(data[..end]).Split(' ');
        header = fields switch
        {
            [_, "UNKNOWN", ..] => new ProxyHeader { Version = 1 },
            [_, "TCP4" or "TCP6", _, _, _, _] => new ProxyHeader
            {
                Version = 1,
                Source = ParseAddress(fields[1], fields[2], fields[4]),
                Destination = ParseAddress(fields[1], fields[3], fields[5]),
            },
            _ => throw Malformed("the line is not one of its forms"),
        };
        consumed = end + 2;
        return true;
    }

    private static IPEndPoint ParseAddress(string family, string address, string port)
    {
        // The platform accepts "1", "0x7f.1", scopes and brackets too.
        bool isLegal = IPAddress.TryParse(address, out IPAddress? parsed) && (family == "TCP4"
            ? parsed.AddressFamily == AddressFamily.InterNetwork && parsed.ToString() == address
            : parsed.AddressFamily == AddressFamily.InterNetworkV6 && address.AsSpan().IndexOfAny("%[]") < 0);
        if (!isLegal) throw Malformed("an address is not of its family");
        bool isNumber = ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out ushort number);
        if (!isNumber || (port.Length > 1 && port[0] == '0'))
            throw Malformed("a port is not a number");
        return new IPEndPoint(parsed!, number);
    }

    private bool TryParseBinary(ReadOnlySpan<byte> data, ref int consumed, ref ProxyHeader header, ref int needed)
    {
        needed = FixedSize - data.Length;
        if (needed > 0) return false;
        (int version, int command) = (data[12] >> 4, data[12] & 0xF);
        (int family, int protocol) = (data[13] >> 4, data[13] & 0xF);
        // A connection of the proxy's own says nothing else: the rest has to be skipped, whatever it claims to be.
        bool isLocal = command == 0;
        if (version != 2 || command > 1 || (!isLocal && (family > 3 || protocol > 2))) throw Malformed("a field has an undefined value");
        int size = FixedSize + BinaryPrimitives.ReadUInt16BigEndian(data[14..]);
        if (size > maxSize) throw new ProxyHeaderException($"The PROXY header is too long: {size} bytes, where {maxSize} are allowed.");
        needed = Math.Max(0, size - data.Length);
        if (needed > 0) return false;
        header = isLocal ? new ProxyHeader { Version = 2 } : ParseBody(data[FixedSize..size], family, hasAddresses: protocol == 1);
        consumed = size;
        return true;
    }

    private static ProxyHeader ParseBody(ReadOnlySpan<byte> body, int family, bool hasAddresses)
    {
        int addressSize = family switch { 1 => 4, 2 => 16, 3 => 108, _ => 0 };
        int portSize = family is 1 or 2 ? sizeof(ushort) : 0;
        int size = 2 * (addressSize + portSize);
        if (body.Length < size) throw Malformed("it has no room for its addresses");
        ReadOnlySpan<byte> ports = body[(2 * addressSize)..size];
        return new ProxyHeader
        {
            Version = 2,
            Source = hasAddresses ? ToEndPoint(family, body[..addressSize], ports) : null,
            Destination = hasAddresses ? ToEndPoint(family, body[addressSize..(2 * addressSize)], ports[portSize..]) : null,
            Tlvs = body[size..].ToArray(),
        };
    }

    private static EndPoint? ToEndPoint(int family, ReadOnlySpan<byte> address, ReadOnlySpan<byte> port) => family switch
    {
        0 => null,
        3 => SocketAddresses.ToEndPoint(SocketAddresses.OfPath(address)),
        _ => new IPEndPoint(new IPAddress(address), BinaryPrimitives.ReadUInt16BigEndian(port)),
    };

    private static ProxyHeaderException Malformed(string how) => new($"The PROXY header is malformed: {how}.");
}
