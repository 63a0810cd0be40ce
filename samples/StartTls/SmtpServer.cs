using System.Net.Security;
using System.Text;
using Waterspout;

namespace StartTls;

/// <summary>The minimum of an SMTP server (RFC 5321, RFC 3207) that accepts a message: over TLS only.</summary>
internal sealed class SmtpServer(SslServerAuthenticationOptions tls, Action<string> received)
{
    private const int LongestLine = 1000;
    private const int LongestMessage = 1024 * 1024;

    internal async Task HandleAsync(IOStream stream)
    {
        await ReplyAsync(stream, "220 localhost ready");
        if (!await ConverseAsync(stream, isSecure: false)) return;

        // The client's first TLS bytes may already be buffered. They now belong to the upgraded stream.
        await using SslIOStream secure = await stream.StartTlsAsync(tls);
        await ConverseAsync(secure, isSecure: true);
    }

    /// <summary>Converses until the client quits (false), or requests TLS and has got the reply (true).</summary>
    private async Task<bool> ConverseAsync(IOStream stream, bool isSecure)
    {
        while (true)
        {
            string verb = (await ReadLineAsync(stream)).Split(' ')[0].ToUpperInvariant();
            switch (verb)
            {
                case "EHLO" or "HELO":
                    await ReplyAsync(stream, isSecure ? "250 localhost" : "250-localhost\r\n250 STARTTLS");
                    break;
                case "STARTTLS" when !isSecure:
                    await ReplyAsync(stream, "220 go ahead");
                    await stream.FlushAsync();
                    return true;
                case "QUIT":
                    await ReplyAsync(stream, "221 bye");
                    return false;
                case "NOOP":
                    await ReplyAsync(stream, "250 ok");
                    break;
                case "MAIL" or "RCPT" or "DATA" when !isSecure:
                    await ReplyAsync(stream, "530 must issue a STARTTLS command first");
                    break;
                case "MAIL" or "RCPT":
                    await ReplyAsync(stream, "250 ok");
                    break;
                case "DATA":
                    await ReplyAsync(stream, "354 end with a dot on a line of its own");
                    received(Encoding.UTF8.GetString(await stream.ReadUntilAsync("\r\n.\r\n"u8, LongestMessage)));
                    await ReplyAsync(stream, "250 taken");
                    break;
                default:
                    await ReplyAsync(stream, "502 not implemented");
                    break;
            }
        }
    }

    private static async Task<string> ReadLineAsync(IOStream stream) =>
        Encoding.UTF8.GetString(await stream.ReadUntilAsync("\r\n"u8, LongestLine)).TrimEnd();

    private static ValueTask ReplyAsync(IOStream stream, string reply) => stream.WriteAsync(Encoding.UTF8.GetBytes(reply + "\r\n"));
}
