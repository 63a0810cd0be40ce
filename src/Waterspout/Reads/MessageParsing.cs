namespace Waterspout.Reads;

/// <summary>Calls a user's parser, and checks what it says: a wrong answer would lose bytes, or never end.</summary>
internal static class MessageParsing
{
    /// <summary>True when there is a whole message.</summary>
    /// <param name="parser">The user's.</param>
    /// <param name="data">At least one byte.</param>
    /// <param name="consumed">How long the message is.</param>
    /// <param name="message">The message.</param>
    /// <param name="wanted">How many bytes there must be, from the front of the message on, before the parser is called again.</param>
    internal static bool TryParse<T>(MessageParser<T> parser, ReadOnlySpan<byte> data, out int consumed, out T message, out int wanted)
        where T : allows ref struct
    {
        bool isWhole = parser(data, out consumed, out message, out int needed);
        bool isLegal = isWhole ? consumed > 0 && consumed <= data.Length : consumed == 0 && needed >= 0;
        if (!isLegal) throw Refuse(isWhole, consumed, needed, data.Length);
        wanted = isWhole ? 1 : (int)Math.Min(int.MaxValue, data.Length + Math.Max(1L, needed));
        return isWhole;
    }

    /// <summary>The error of a read that the end of the stream leaves with a part of a message.</summary>
    internal static Exception? Truncation(int buffered, string what) => buffered == 0 ? null : new StreamClosedException(
        CloseReason.EndOfStream,
        new EndOfStreamException($"The stream ended inside {what}, of which {buffered} bytes are there."));

    private static InvalidOperationException Refuse(bool isWhole, int consumed, int needed, int length) => new(isWhole
        ? $"The parser returned true and consumed {consumed} bytes. It was given {length}, and must take at least one."
        : consumed != 0
            ? $"The parser returned false, for a message that is not complete, and consumed {consumed} bytes. It must take none of it."
            : $"The parser returned false and needs {needed} bytes more. It must say how many, or 0 if that is unknown.");
}
