namespace Waterspout.Bench.SideBySide;

/// <summary>Workloads that are reported on one page.</summary>
internal enum Family
{
    PingPong,
    Pipelined,
    Lines,
    Bulk,
    Tls,
    Pieces,
    Idle,
    Connects,
    Broadcast,
    Loops,
    OffLoop,
    Scaling,
}

internal static class Families
{
    /// <summary>The name of the page's file, and of the family on the command line.</summary>
    internal static string Slug(this Family family) => family == Family.OffLoop ? "off-loop" : family.ToString().ToLowerInvariant();

    internal static string Title(this Family family) => family switch
    {
        Family.PingPong => "Ping-pong",
        Family.Pipelined => "Pipelined requests",
        Family.Lines => "One connection full of lines",
        Family.Bulk => "Bulk data",
        Family.Tls => "TLS",
        Family.Pieces => "Long messages in small pieces",
        Family.Idle => "Idle connections, and a loop with little to do",
        Family.Connects => "Short connections",
        Family.Broadcast => "Broadcast",
        Family.Loops => "Several loops",
        Family.OffLoop => "Handlers on the thread pool",
        _ => "Scaling with the number of connections",
    };

    internal static string About(this Family family) => family switch
    {
        Family.PingPong => "Each connection sends a line of 64 bytes, waits for it to come back, and sends the next.",
        Family.Pipelined => "Each connection sends 16 lines at once and waits for all of them. What counts is how many of the answers leave in one system call.",
        Family.Lines => "The load sends lines of 64 bytes as fast as they are taken; the server counts them.",
        Family.Bulk => "One connection, as fast as it goes, into or out of buffers of one size.",
        Family.Tls => "The same over TLS 1.3 (AES-GCM), and handshakes: full ones, with a P-256 certificate. The other side is OpenSSL.",
        Family.Pieces => "One long message, sent in pieces of one byte or of 4 KiB. The server reads until its end, or so many bytes, and answers with its length. Searching or copying again what has come before would show as a line that rises.",
        Family.Idle => "Memory for each connection that does nothing, the CPU of a server that has nothing to do, and what a busy server takes from two other programs that keep both cores busy.",
        Family.Connects => "Connect, send a line, get it back, close; 32 at a time.",
        Family.Broadcast => "One connection sends a line, and the server sends it to all of them.",
        Family.Loops => "Two loops (or threads) for 64 connections, on both cores, which the load uses as well.",
        Family.OffLoop => "As in a handler of ASP.NET: the code that reads and writes runs on the thread pool, and not on the loop.",
        _ => "The ping-pong of lines with more and more connections.",
    };
}
