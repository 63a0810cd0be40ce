using System.Buffers.Binary;

namespace Waterspout.Tests.Tls;

/// <summary>A position in one direction of a conversation: a number of bytes into one of its TLS records.</summary>
/// <remarks>Not an offset into the whole direction, since a signature may be a byte or two longer in the next handshake.</remarks>
public readonly record struct RecordPosition(int Record, int Offset)
{
    private const int HeaderSize = 5;

    /// <summary>Every position in a direction: before each of its bytes.</summary>
    public static List<RecordPosition> All(byte[] bytes)
    {
        List<RecordPosition> all = [];
        for (int record = 0, start = 0; start < bytes.Length; record++)
        {
            int length = Length(bytes, start);
            for (int offset = 0; offset < length; offset++) all.Add(new RecordPosition(record, offset));
            start += length;
        }

        return all;
    }

    /// <summary>The offset among the bytes of a direction, from its beginning; null while it is not known yet.</summary>
    public int? FindIn(byte[] bytes)
    {
        int record = 0, start = 0;
        for (; start + HeaderSize <= bytes.Length; record++)
        {
            int length = Length(bytes, start);
            if (record == Record) return start + Math.Min(Offset, length);
            start += length;
        }

        return record == Record && Offset <= HeaderSize ? start + Offset : null;
    }

    private static int Length(byte[] bytes, int start) => HeaderSize + BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(start + 3));
}
