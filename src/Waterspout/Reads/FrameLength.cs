namespace Waterspout;

/// <summary>
/// How the length in front of each frame is written, for
/// <see cref="BaseIOStream.ReadFrameAsync(FrameLength, int?, CancellationToken, TimeSpan?)"/>.
/// </summary>
/// <example><c>new FrameLength(4)</c> is a 32-bit length in network byte order; <c>FrameLength.Varint</c> is that of protocol
/// buffers.</example>
public readonly record struct FrameLength
{
    private const int LongestVarint = 10;

    private readonly bool _isVarint;

    /// <summary>A length of a fixed size, without a sign.</summary>
    /// <param name="size">How many bytes the length takes: 1, 2, 4 or 8.</param>
    /// <param name="isLittleEndian">The byte with the lowest value comes first. Off by default: network byte order.</param>
    /// <param name="includesItself">The bytes of the length count, too.</param>
    /// <exception cref="ArgumentOutOfRangeException">The size is another.</exception>
    public FrameLength(int size, bool isLittleEndian = false, bool includesItself = false)
    {
        if (size is not (1 or 2 or 4 or 8))
            throw new ArgumentOutOfRangeException(nameof(size), size, "The length of a frame takes 1, 2, 4 or 8 bytes.");
        Size = size;
        IsLittleEndian = isLittleEndian;
        IncludesItself = includesItself;
    }

    private FrameLength(bool isVarint) => _isVarint = isVarint;

    /// <summary>
    /// Seven bits a byte, the lowest first, and the high bit of a byte says that another one follows: 1 to 10 bytes. A length that is
    /// written with more bytes than it takes is refused.
    /// </summary>
    public static FrameLength Varint { get; } = new(isVarint: true);

    /// <summary>How many bytes the length takes; 0 for <see cref="Varint"/>, which says itself.</summary>
    public int Size { get; }

    /// <summary>The byte with the lowest value comes first.</summary>
    public bool IsLittleEndian { get; }

    /// <summary>The bytes of the length count, too.</summary>
    public bool IncludesItself { get; }

    internal bool IsNone => Size == 0 && !_isVarint;

    /// <summary>The fewest bytes that the length takes.</summary>
    internal int LeastSize => _isVarint ? 1 : Size;

    /// <summary>How many bytes the length takes, and how many follow it. 0 where it is not complete.</summary>
    /// <exception cref="InvalidDataException">It is no length.</exception>
    internal int Read(ReadOnlySpan<byte> data, out ulong following)
    {
        if (_isVarint) return ReadVarint(data, out following);
        following = 0;
        if (data.Length < Size) return 0;
        for (int i = 0; i < Size; i++) following = (following << 8) | data[IsLittleEndian ? Size - 1 - i : i];
        if (!IncludesItself) return Size;
        if (following < (ulong)Size)
            throw new InvalidDataException($"The frame says that it has {following} bytes in all, and its length alone has {Size}.");
        following -= (ulong)Size;
        return Size;
    }

    private static int ReadVarint(ReadOnlySpan<byte> data, out ulong value)
    {
        value = 0;
        for (int i = 0; i < Math.Min(data.Length, LongestVarint); i++)
        {
            value |= (ulong)(data[i] & 0x7f) << (7 * i);
            if (data[i] > 0x7f) continue;
            if (i > 0 && data[i] == 0)
                throw new InvalidDataException($"The frame's length {value} is a varint of {i + 1} bytes, and takes fewer.");
            if (i < LongestVarint - 1 || data[i] == 1) return i + 1;
            break; // the tenth byte has room for one bit
        }

        if (data.Length >= LongestVarint)
            throw new InvalidDataException("The frame's length is a varint that does not end within 64 bits.");
        return 0;
    }
}
