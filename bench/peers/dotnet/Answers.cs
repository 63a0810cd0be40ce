using System.Buffers.Text;

namespace Waterspout.Bench.Peers;

/// <summary>The numbers in requests and answers: decimal, one per line.</summary>
internal static class Answers
{
    internal static byte[] Number(long number)
    {
        byte[] text = new byte[24];
        Utf8Formatter.TryFormat(number, text, out int length);
        text[length++] = (byte)'\n';
        return text[..length];
    }

    internal static long Parse(ReadOnlySpan<byte> line) => Utf8Parser.TryParse(line, out long number, out _) ? number : 0;
}
