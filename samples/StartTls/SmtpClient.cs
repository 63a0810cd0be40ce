using System.Net.Security;
using System.Text;
using Waterspout;

namespace StartTls;

/// <summary>Delivers a message, over TLS or not at all, and prints the conversation.</summary>
internal static class SmtpClient
{
    internal static async Task SendAsync(string host, int port, SslClientAuthenticationOptions tls, string message)
    {
        IOStream plain = await IOStream.ConnectAsync(host, port);
        await using (plain)
        {
            await ExpectAsync(plain, "220");
            await AskAsync(plain, "EHLO client", "250");
            await AskAsync(plain, "STARTTLS", "220");

            // Fails if anything was sent, by the server or an attacker, that could now be taken for protected data.
            await using SslIOStream secure = await plain.StartTlsAsync(tls);
            Console.WriteLine($"-- {secure.SslProtocol}, {secure.CipherSuite}");
            await AskAsync(secure, "EHLO client", "250");
            await AskAsync(secure, "MAIL FROM:<me@localhost>", "250");
            await AskAsync(secure, "RCPT TO:<you@localhost>", "250");
            await AskAsync(secure, "DATA", "354");
            await AskAsync(secure, message.ReplaceLineEndings("\r\n") + "\r\n.", "250");
            await AskAsync(secure, "QUIT", "221");
        }
    }

    private static async Task AskAsync(IOStream stream, string command, string expected)
    {
        Console.WriteLine($"C: {command}");
        await stream.WriteAsync(Encoding.UTF8.GetBytes(command + "\r\n"));
        await ExpectAsync(stream, expected);
    }

    /// <summary>Reads a reply: lines that begin "250-", and a last one that begins "250 ".</summary>
    private static async Task ExpectAsync(IOStream stream, string expected)
    {
        string reply = Encoding.UTF8.GetString(await stream.ReadUntilRegexAsync(@"(^|\n)\d{3}( [^\n]*)?\n", maxBytes: 64 * 1024));
        Console.WriteLine($"S: {reply.TrimEnd()}");
        if (!reply.StartsWith(expected, StringComparison.Ordinal)) throw new InvalidDataException($"The server said: {reply.TrimEnd()}");
    }
}
