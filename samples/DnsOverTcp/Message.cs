using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace DnsOverTcp;

/// <summary>The parts of the DNS's messages (RFC 1035) that one question about addresses needs.</summary>
internal static class Message
{
    private const int HeaderSize = 12;
    internal const ushort TypeA = 1;
    internal const ushort TypeAaaa = 28;

    private const ushort IsResponse = 0x8000;
    private const ushort RecursionDesired = 0x0100;
    private const ushort NoSuchName = 3;

    internal static ushort Id(ReadOnlySpan<byte> message) => Number(message, 0);

    internal static byte[] Question(ushort id, string name, ushort type)
    {
        List<byte> message = [.. Numbers(id, RecursionDesired, 1, 0, 0, 0)];
        foreach (string label in name.TrimEnd('.').Split('.'))
        {
            if (label.Length is 0 or > 63) throw new ArgumentException($"'{name}' is no name of a host.", nameof(name));
            message.Add((byte)label.Length);
            message.AddRange(Encoding.ASCII.GetBytes(label));
        }

        return [.. message, 0, .. Numbers(type, 1)];
    }

    /// <summary>An answer to a question: its addresses, or that there is no such name.</summary>
    internal static byte[] Answer(ReadOnlySpan<byte> question, ushort type, IReadOnlyCollection<IPAddress>? addresses)
    {
        int end = SkipQuestion(question);
        ushort flags = (ushort)(IsResponse | RecursionDesired | (addresses is null ? NoSuchName : 0));
        IPAddress[] matching = [.. (addresses ?? []).Where(address => TypeOf(address) == type)];
        List<byte> message = [.. Numbers(Id(question), flags, 1, (ushort)matching.Length, 0, 0), .. question[HeaderSize..end]];
        foreach (IPAddress address in matching)
        {
            byte[] bytes = address.GetAddressBytes();
            // The name is that of the question, which begins after the header; then the type, the class, and a minute to live.
            message.AddRange([.. Numbers(0xC000 | HeaderSize, type, 1, 0, 60, (ushort)bytes.Length), .. bytes]);
        }

        return [.. message];
    }

    internal static (string Name, ushort Type) ReadQuestion(ReadOnlySpan<byte> message)
    {
        int end = SkipQuestion(message);
        List<string> labels = [];
        for (int i = HeaderSize; message[i] is > 0 and < 0xC0; i += message[i] + 1) labels.Add(Encoding.ASCII.GetString(Part(message, i + 1, message[i])));
        return (string.Join('.', labels), Number(message, end - 4));
    }

    internal static IPAddress[] ReadAnswer(ReadOnlySpan<byte> message)
    {
        List<IPAddress> addresses = [];
        int position = SkipQuestion(message);
        for (int answers = Number(message, 6); answers > 0; answers--)
        {
            position = SkipName(message, position);
            ushort type = Number(message, position);
            int length = Number(message, position + 8);
            if (type is TypeA or TypeAaaa) addresses.Add(Address(type, Part(message, position + 10, length)));
            position += 10 + length;
        }

        return [.. addresses];
    }

    private static int SkipQuestion(ReadOnlySpan<byte> message) =>
        Number(message, 4) == 1 ? SkipName(message, HeaderSize) + 4 : throw new InvalidDataException("A message with one question was expected.");

    private static int SkipName(ReadOnlySpan<byte> message, int position)
    {
        byte length;
        while ((length = Part(message, position, 1)[0]) is > 0 and < 0xC0) position += length + 1;
        return position + (length == 0 ? 1 : 2); // two where the rest of the name stands elsewhere
    }

    private static IPAddress Address(ushort type, ReadOnlySpan<byte> bytes) =>
        bytes.Length == (type == TypeA ? 4 : 16) ? new IPAddress(bytes) : throw new InvalidDataException("An address has a wrong length.");

    private static ushort TypeOf(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork ? TypeA : TypeAaaa;

    private static ushort Number(ReadOnlySpan<byte> message, int position) => BinaryPrimitives.ReadUInt16BigEndian(Part(message, position, 2));

    /// <summary>The peer's lengths lead anywhere, so nothing is read without this.</summary>
    private static ReadOnlySpan<byte> Part(ReadOnlySpan<byte> message, int position, int length) =>
        position + length <= message.Length ? message.Slice(position, length) : throw new InvalidDataException("A message ends too early.");

    private static byte[] Numbers(params ReadOnlySpan<int> numbers)
    {
        byte[] bytes = new byte[2 * numbers.Length];
        for (int i = 0; i < numbers.Length; i++) BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2 * i), (ushort)numbers[i]);
        return bytes;
    }
}
