using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace RedisClient;

/// <summary>The Redis protocol, version 2. A value is a string, a long, an array of bytes, an array of values, an error, or null.</summary>
internal static class Resp
{
    internal const int LongestValue = 64 * 1024 * 1024;

    // A reply of arrays in arrays needs a call on the stack for each.
    private const int DeepestArray = 32;

    /// <summary>Takes one value from the front of what has arrived.</summary>
    internal static bool TryParse(ReadOnlySpan<byte> data, out int consumed, out object? value, out int needed)
    {
        int position = 0;
        bool isWhole = TryParse(data, ref position, out value, out needed, DeepestArray);
        consumed = isWhole ? position : 0;
        return isWhole;
    }

    internal static byte[] Format(params ReadOnlySpan<string> command)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"*{command.Length}\r\n");
        foreach (string word in command) text.Append(CultureInfo.InvariantCulture, $"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n");
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static bool TryParse(ReadOnlySpan<byte> data, ref int position, out object? value, out int needed, int depth)
    {
        value = null;
        needed = 0;
        int length = data[position..].IndexOf("\r\n"u8);
        if (length < 0) return false;
        ReadOnlySpan<byte> line = data.Slice(position, length);
        position += length + 2;
        switch (length > 0 ? line[0] : 0)
        {
            case '+': value = Encoding.UTF8.GetString(line[1..]); return true;
            case '-': value = new RespException(Encoding.UTF8.GetString(line[1..])); return true;
            case ':': value = Number(line[1..]); return true;
            case '$': return TryTakeBytes(data, ref position, Number(line[1..]), out value, out needed);
            case '*' when depth > 0: return TryTakeArray(data, ref position, Number(line[1..]), out value, out needed, depth - 1);
            default: throw new InvalidDataException("What arrived is no value of the Redis protocol.");
        }
    }

    private static bool TryTakeBytes(ReadOnlySpan<byte> data, ref int position, long length, out object? value, out int needed)
    {
        value = null;
        needed = 0;
        if (length < 0) return true;
        if (length > LongestValue) throw new InvalidDataException($"A value of {length} bytes is too long.");
        needed = Math.Max(0, (int)length + 2 - (data.Length - position));
        if (needed > 0) return false; // called again once these bytes are there, and not at each arrival
        value = data.Slice(position, (int)length).ToArray();
        position += (int)length + 2;
        return true;
    }

    private static bool TryTakeArray(ReadOnlySpan<byte> data, ref int position, long length, out object? value, out int needed, int depth)
    {
        value = null;
        needed = 0;
        if (length < 0) return true;
        List<object?> items = [];
        for (long i = 0; i < length; i++)
        {
            if (!TryParse(data, ref position, out object? item, out needed, depth)) return false;
            items.Add(item);
        }

        value = items.ToArray();
        return true;
    }

    private static long Number(ReadOnlySpan<byte> digits) =>
        Utf8Parser.TryParse(digits, out long number, out int read) && read == digits.Length
            ? number
            : throw new InvalidDataException($"'{Encoding.UTF8.GetString(digits)}' is no number.");
}

/// <summary>The server's answer to a command is an error.</summary>
internal sealed class RespException(string message) : Exception(message);
