using System.Buffers.Binary;
using System.Net;

namespace Waterspout;

/// <summary>What a proxy says about a connection that it passes on (the PROXY protocol): see <see cref="IOStream.ProxyHeader"/>.</summary>
public sealed record ProxyHeader
{
    private const int TlvHeaderSize = 3;

    /// <summary>The version of the protocol: 1 (text) or 2 (binary).</summary>
    public int Version { get; init; }

    /// <summary>
    /// The client's address; null if the proxy does not say one: it is unknown, or the connection is the proxy's own, a health check for
    /// example.
    /// </summary>
    public EndPoint? Source { get; init; }

    /// <summary>The address that the client has connected to; null if the proxy does not say one.</summary>
    public EndPoint? Destination { get; init; }

    /// <summary>The proxy's own address.</summary>
    public EndPoint? ProxyEndPoint { get; init; }

    /// <summary>
    /// What version 2 has after the addresses, as it came: any number of type (1 byte), length (2 bytes) and value. Not checked.
    /// Empty for a connection of the proxy's own.
    /// </summary>
    public ReadOnlyMemory<byte> Tlvs { get; init; }

    /// <summary>The value of the first entry of <see cref="Tlvs"/> with this type; null if there is none.</summary>
    public ReadOnlyMemory<byte>? FindTlv(byte type)
    {
        for (ReadOnlyMemory<byte> rest = Tlvs; rest.Length >= TlvHeaderSize;)
        {
            int end = TlvHeaderSize + BinaryPrimitives.ReadUInt16BigEndian(rest.Span[1..]);
            if (end > rest.Length) return null;
            if (rest.Span[0] == type) return rest[TlvHeaderSize..end];
            rest = rest[end..];
        }

        return null;
    }
}
