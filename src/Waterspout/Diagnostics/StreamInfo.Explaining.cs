using System.Globalization;

namespace Waterspout;

public sealed partial class StreamInfo
{
    /// <summary>What the connection waits for, in one sentence: the peer, the handler, or the library.</summary>
    /// <example>
    /// <code>
    /// foreach (StreamInfo stream in loop.GetStreams()) Console.WriteLine(stream);
    /// // IOStream 12 #3 192.0.2.1:4711: The peer does not read: 65,536 bytes wait to be sent, and none was accepted for 12.0 s.
    /// </code>
    /// </example>
    public string Explanation => Phase switch
    {
        StreamPhase.New => "It has not been used yet.",
        StreamPhase.Connecting => $"It is being connected, and was created {Seconds(Age)} ago.",
        StreamPhase.Handshake => ExplainHandshake(),
        StreamPhase.Failing => $"It has failed, and {Bytes(ReadBuffered)} that arrived before can still be read.",
        StreamPhase.Closing => ExplainClosing(),
        _ => ExplainOpen(),
    };

    private string ExplainHandshake() => HandshakeWait switch
    {
        HandshakeWait.Place => $"Its TLS handshake waits until others are done, and began {Seconds(Age)} ago.",
        HandshakeWait.Computation => $"Its TLS handshake is being computed, and began {Seconds(Age)} ago.",
        _ => $"Its TLS handshake waits for the peer, and began {Seconds(Age)} ago.",
    };

    private string ExplainClosing() => WriteBuffered > 0
        ? $"It is closing, and {Waits(WriteBuffered)} to be sent{Blocked}."
        : "It is closing, and waits for the peer to close too.";

    // A peer that does not read comes first: a handler that waits for its write to complete does not read either.
    private string ExplainOpen()
    {
        if (BlockedTime is not null) return $"The peer does not read: {Waits(WriteBuffered)} to be sent{Blocked}.";
        if (WriteBuffered > 0) return $"It is sending {Bytes(WriteBuffered)}.";
        if (IsParsing) return "The handler is using what has arrived.";
        if (PendingRead is not null) return ExplainRead();
        long unread = ReadBuffered + SystemReadBuffered;
        if (unread > 0) return $"The handler does not read: {Bytes(unread)} have arrived{Quiet}.";
        return HasPeerEnded
            ? "The peer has ended its side, and the handler has not closed the stream."
            : $"It is idle: nothing has arrived, and the handler neither reads nor writes{Quiet}.";
    }

    private string ExplainRead() => ReadBuffered > 0
        ? $"The peer has not sent enough: {PendingRead} has {Bytes(ReadBuffered)}, and has waited for {Seconds(PendingReadTime)}."
        : $"The peer does not send: {PendingRead} has waited for {Seconds(PendingReadTime)}{Untaken}.";

    private string Blocked => BlockedTime is { } time ? $", and none was accepted for {Seconds(time)}" : "";

    private string Untaken => SystemWriteBuffered > 0 ? ", and the peer has not taken all that was sent" : "";

    private string Quiet => SinceProgress is { } time ? $"; the last byte was transferred {Seconds(time)} ago" : "";

    private static string Waits(long count) => count == 1 ? "1 byte waits" : $"{Bytes(count)} wait";

    private static string Bytes(long count) =>
        count == 1 ? "1 byte" : string.Create(CultureInfo.InvariantCulture, $"{count:N0} bytes");

    private static string Seconds(TimeSpan? time) => string.Create(CultureInfo.InvariantCulture, $"{time?.TotalSeconds:F1} s");
}
