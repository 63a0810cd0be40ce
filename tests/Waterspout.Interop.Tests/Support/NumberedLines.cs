using System.Globalization;

namespace Waterspout.Interop.Tests;

/// <summary>A long text of numbered lines, so that missing, duplicate or misplaced data is detected among openssl's own output.</summary>
internal static class NumberedLines
{
    // A record has 256 of these lines, so openssl's own messages come between two lines; or in two pieces, since they are buffered and data
    // is not.
    private const int LineLength = 64;
    private const int LinesInBlock = 1024;
    private const string Format = "D63";

    /// <summary>Blocks of 64 KiB: 16 MiB altogether, or 256.</summary>
    internal static int Blocks { get; } = Environment.GetEnvironmentVariable("WATERSPOUT_FULL") == "1" ? 4096 : 256;

    internal static byte[] Block(int number)
    {
        byte[] block = new byte[LineLength * LinesInBlock];
        for (int i = 0; i < LinesInBlock; i++)
        {
            Span<byte> line = block.AsSpan(i * LineLength, LineLength);
            ((number * LinesInBlock) + i).TryFormat(line, out _, Format, CultureInfo.InvariantCulture);
            line[^1] = (byte)'\n';
        }

        return block;
    }

    internal static async Task SkipToFirstAsync(Child openssl)
    {
        string? line;
        do line = await openssl.ReadLineAsync();
        while (line is not null && line != 0.ToString(Format, CultureInfo.InvariantCulture));
        Assert.NotNull(line);
    }

    /// <summary>
    /// Checks that the lines after the first come in order, with only such messages in between, and returns the number of handshakes that
    /// openssl reported there.
    /// </summary>
    internal static async Task<int> CheckAsync(Child openssl, params string[] remarks)
    {
        int handshakes = 0;
        for (int expected = 1; expected < Blocks * LinesInBlock;)
        {
            string line = await openssl.ReadLineAsync() ?? throw new EndOfStreamException();
            if (line.StartsWith("SSL", StringComparison.Ordinal)) handshakes++;
            if (remarks.Any(remark => remark.EndsWith(line, StringComparison.Ordinal))) continue;
            Assert.Equal(expected++, int.Parse(line[^(LineLength - 1)..], CultureInfo.InvariantCulture));
        }

        return handshakes;
    }
}
