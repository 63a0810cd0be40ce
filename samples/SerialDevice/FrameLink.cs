using System.Buffers.Binary;
using Waterspout;

namespace SerialDevice;

/// <summary>
/// Frames as HDLC has them: a flag byte around each, an escape for flags inside, and a checksum. Noise costs the frame that it is in, and
/// no other: the next flag ends it.
/// </summary>
internal sealed class FrameLink(BaseIOStream stream)
{
    private const byte Flag = 0x7E;
    private const byte Escape = 0x7D;
    private const byte Flip = 0x20;
    private const int LongestFrame = 512;

    internal ValueTask SendAsync(params ReadOnlySpan<byte> payload)
    {
        Span<byte> checksum = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(checksum, Checksum(payload));
        List<byte> frame = [Flag];
        foreach (byte value in (byte[])[.. payload, .. checksum])
        {
            if (value is Flag or Escape) frame.AddRange([Escape, (byte)(value ^ Flip)]);
            else frame.Add(value);
        }

        return stream.WriteAsync((byte[])[.. frame, Flag]);
    }

    /// <summary>The next frame that is whole.</summary>
    internal async Task<byte[]> ReceiveAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                byte[]? payload = await stream.ReadUntilAsync([Flag], static data => Unpack(data[..^1]), LongestFrame, cancellationToken);
                if (payload is not null) return payload;
            }
            catch (UnsatisfiableReadException)
            {
                await stream.DiscardUntilAsync([Flag], cancellationToken);
            }
        }
    }

    /// <summary>Null if it is no frame: empty, as between two flags, or damaged.</summary>
    private static byte[]? Unpack(ReadOnlySpan<byte> data)
    {
        List<byte> frame = [];
        for (int i = 0; i < data.Length; i++)
        {
            if (data[i] != Escape) frame.Add(data[i]);
            else if (++i < data.Length) frame.Add((byte)(data[i] ^ Flip));
        }

        if (frame.Count < 2) return null;
        byte[] bytes = [.. frame];
        return BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(^2..)) == Checksum(bytes.AsSpan(..^2)) ? bytes[..^2] : null;
    }

    /// <summary>CRC-16/X-25, as HDLC has it.</summary>
    private static ushort Checksum(ReadOnlySpan<byte> data)
    {
        uint sum = 0xFFFF;
        foreach (byte value in data)
        {
            sum ^= value;
            for (int bit = 0; bit < 8; bit++) sum = (sum >> 1) ^ ((sum & 1) * 0x8408);
        }

        return (ushort)~sum;
    }
}
