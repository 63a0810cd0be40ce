using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Waterspout.Errors;
using Waterspout.Server;

namespace Waterspout.Tests;

/// <summary>Headers of the PROXY protocol, as bytes.</summary>
public sealed class ProxyHeaderTests
{
    private static readonly byte[] s_tlvs = [0x02, 0, 3, .. "abc"u8, 0xE0, 0, 0, 0x04, 0, 1, 7];

    public static TheoryData<string, byte[], ProxyHeader> Headers => new()
    {
        { "v1 TCP4", Text("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n"), Of(1, "192.0.2.1:56324", "198.51.100.2:443") },
        { "v1 TCP6", Text("PROXY TCP6 2001:db8::1 2001:db8::2 0 65535\r\n"), Of(1, "[2001:db8::1]:0", "[2001:db8::2]:65535") },
        { "v1 unknown", Text("PROXY UNKNOWN\r\n"), new ProxyHeader { Version = 1 } },
        { "v1 unknown, longest", Text($"PROXY UNKNOWN {new string('f', 91)}\r\n"), new ProxyHeader { Version = 1 } },
        { "v2 TCP4", Binary(0x21, 0x11, IPv4()), Of(2, "192.0.2.1:56324", "198.51.100.2:443") },
        { "v2 TCP6", Binary(0x21, 0x21, IPv6()), Of(2, "[2001:db8::1]:56324", "[2001:db8::2]:443") },
        { "v2 with TLVs", Binary(0x21, 0x11, [.. IPv4(), .. s_tlvs]), Of(2, "192.0.2.1:56324", "198.51.100.2:443") },
        { "v2 local", Binary(0x20, 0x00, []), new ProxyHeader { Version = 2 } },
        { "v2 local with addresses", Binary(0x20, 0x11, IPv4()), new ProxyHeader { Version = 2 } },
        { "v2 local, with room for nothing", Binary(0x20, 0x11, []), new ProxyHeader { Version = 2 } },
        { "v2 local, of an undefined family", Binary(0x20, 0x4F, [1, 2]), new ProxyHeader { Version = 2 } },
        { "v2 local, with what would be TLVs", Binary(0x20, 0x00, s_tlvs), new ProxyHeader { Version = 2 } },
        { "v2 unspecified", Binary(0x21, 0x00, [1, 2, 3]), new ProxyHeader { Version = 2 } },
        { "v2 datagrams", Binary(0x21, 0x12, IPv4()), new ProxyHeader { Version = 2 } },
        { "v2 Unix", Binary(0x21, 0x31, [.. Path("/run/client"), .. Path("\0abstract")]), new ProxyHeader { Version = 2, Source = new UnixDomainSocketEndPoint("/run/client"), Destination = new UnixDomainSocketEndPoint("\0abstract") } },
        { "v2 Unix, longest", Binary(0x21, 0x31, [.. Path("/" + new string('p', 106)), .. Path("")]), new ProxyHeader { Version = 2, Source = new UnixDomainSocketEndPoint("/" + new string('p', 106)), Destination = Unnamed() } },
    };

    public static TheoryData<string, byte[]> Malformed => new()
    {
        { "another protocol", Text("GET / HTTP/1.1\r\n") },
        { "TLS", [0x16, 3, 1, 2] },
        { "other case", Text("proxy TCP4 192.0.2.1 198.51.100.2 1 2\r\n") },
        { "v1 two spaces", Text("PROXY TCP4  192.0.2.1 198.51.100.2 1 2\r\n") },
        { "v1 too few fields", Text("PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n") },
        { "v1 too many fields", Text("PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n") },
        { "v1 without fields", Text("PROXY \r\n") },
        { "v1 unknown family", Text("PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n") },
        { "v1 wrong family", Text("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n") },
        { "v1 wrong family, IPv6", Text("PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n") },
        { "v1 short address", Text("PROXY TCP4 1 198.51.100.2 1 2\r\n") },
        { "v1 octal address", Text("PROXY TCP4 010.0.0.1 198.51.100.2 1 2\r\n") },
        { "v1 scope", Text("PROXY TCP6 fe80::1%1 2001:db8::2 1 2\r\n") },
        { "v1 brackets", Text("PROXY TCP6 [2001:db8::1] 2001:db8::2 1 2\r\n") },
        { "v1 port too large", Text("PROXY TCP4 192.0.2.1 198.51.100.2 65536 2\r\n") },
        { "v1 port with a zero in front", Text("PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n") },
        { "v1 negative port", Text("PROXY TCP4 192.0.2.1 198.51.100.2 -1 2\r\n") },
        { "v1 too long", Text($"PROXY UNKNOWN {new string('f', 92)}\r\n") },
        { "v1 endless", Text($"PROXY {new string(' ', 200)}") },
        { "v2 version", Binary(0x31, 0x11, IPv4()) },
        { "v2 command", Binary(0x22, 0x11, IPv4()) },
        { "v2 family", Binary(0x21, 0x41, IPv4()) },
        { "v2 protocol", Binary(0x21, 0x13, IPv4()) },
        { "v2 no room for IPv4", Binary(0x21, 0x11, IPv4()[1..]) },
        { "v2 no room for IPv6", Binary(0x21, 0x21, IPv4()) },
        { "v2 no room for paths", Binary(0x21, 0x31, Path("/a")) },
        { "v2 too long", Binary(0x21, 0x11, new byte[4081])[..16] },
    };

    [Theory]
    [MemberData(nameof(Headers), DisableDiscoveryEnumeration = true)]
    public void A_header_is_read_to_its_last_byte_and_no_further(string name, byte[] bytes, ProxyHeader expected)
    {
        byte[] more = [.. bytes, .. "PROXY"u8];
        Assert.True(TryParse(more, out int consumed, out ProxyHeader header, out _), name);
        Assert.Equal(bytes.Length, consumed);
        Assert.Equal(expected, header with { Tlvs = default });
        for (int length = 1; length < bytes.Length; length++)
        {
            Assert.False(TryParse(bytes[..length], out consumed, out _, out int needed), $"{name}, {length} bytes");
            Assert.Equal(0, consumed);
            Assert.InRange(needed, 0, bytes.Length - length);
        }
    }

    [Theory]
    [MemberData(nameof(Malformed))]
    public void What_is_not_a_header_is_refused(string name, byte[] bytes)
    {
        ProxyHeaderException error = Assert.Throws<ProxyHeaderException>(() => TryParse(bytes, out _, out _, out _));
        Assert.Contains("PROXY header", error.Message);
        Assert.NotEmpty(name);
    }

    [Fact]
    public void A_path_may_fill_its_field()
    {
        string path = "/" + new string('p', 107);
        Assert.True(TryParse(Binary(0x21, 0x31, [.. Path(path), .. Path(path)]), out _, out ProxyHeader header, out _));
        Assert.Equal(path, header.Source!.ToString());
    }

    [Fact]
    public void The_bytes_after_the_addresses_are_kept()
    {
        Assert.True(TryParse(Binary(0x21, 0x11, [.. IPv4(), .. s_tlvs]), out _, out ProxyHeader header, out _));
        Assert.Equal(s_tlvs, header.Tlvs.ToArray());
        Assert.Equal("abc"u8.ToArray(), header.FindTlv(0x02)!.Value.ToArray());
        Assert.Empty(header.FindTlv(0xE0)!.Value.ToArray());
        Assert.Equal([7], header.FindTlv(0x04)!.Value.ToArray());
        Assert.Null(header.FindTlv(0x05));
        // An entry that says it is longer than what is there.
        Assert.Null((header with { Tlvs = s_tlvs.AsMemory(0, 5) }).FindTlv(0x02));
    }

    [Fact]
    public void Random_bytes_are_a_header_or_are_refused()
    {
        Random random = new(5);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = Binary((byte)random.Next(0x20, 0x22), (byte)random.Next(256), new byte[random.Next(300)]);
            random.NextBytes(bytes.AsSpan(16));
            if (random.Next(2) == 0) bytes = Text($"PROXY TCP{random.Next(3, 8)} {random.Next(300)}.0.0.1 ::{random.Next():x} {random.Next(70_000)} {random.Next(-9, 9)}\r\n");
            if (random.Next(3) == 0) bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                if (TryParse(bytes, out int consumed, out _, out int needed)) Assert.InRange(consumed, 1, bytes.Length);
                else Assert.InRange(needed, 0, 65_551);
            }
            catch (ProxyHeaderException)
            {
            }
        }
    }

    internal static byte[] Binary(byte command, byte family, byte[] body)
    {
        byte[] header = [.. "\r\n\r\n\0\r\nQUIT\n"u8, command, family, 0, 0, .. body];
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(14), (ushort)body.Length);
        return header;
    }

    internal static byte[] IPv4() => [192, 0, 2, 1, 198, 51, 100, 2, 0xDC, 0x04, 0x01, 0xBB];

    private static byte[] IPv6() => [.. IPAddress.Parse("2001:db8::1").GetAddressBytes(), .. IPAddress.Parse("2001:db8::2").GetAddressBytes(), 0xDC, 0x04, 0x01, 0xBB];

    private static byte[] Path(string path) => Text(path.PadRight(108, '\0'));

    private static EndPoint Unnamed() => new UnixDomainSocketEndPoint("/").Create(new SocketAddress(AddressFamily.Unix, 2));

    private static byte[] Text(string text) => Encoding.Latin1.GetBytes(text);

    private static ProxyHeader Of(int version, string source, string destination) =>
        new() { Version = version, Source = IPEndPoint.Parse(source), Destination = IPEndPoint.Parse(destination) };

    private static bool TryParse(byte[] data, out int consumed, out ProxyHeader header, out int needed) =>
        new ProxyHeaderParser(4096).TryParse(data, out consumed, out header, out needed);
}
