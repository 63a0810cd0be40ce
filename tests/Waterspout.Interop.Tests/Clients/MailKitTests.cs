using System.Net;
using System.Text;
using MailKit;
using MailKit.Net.Imap;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace Waterspout.Interop.Tests.Clients;

/// <summary>MailKit over streams of ours, with servers of ours: SMTP with STARTTLS, and IMAP.</summary>
public sealed class MailKitTests
{
    [Fact]
    public async Task Mails_are_sent_after_STARTTLS()
    {
        using TlsFolder folder = new();
        List<string> mails = [];
        await using TcpServer server = new(stream => ServeSmtpAsync(stream, folder, mails));
        int port = ((IPEndPoint)server.Listen(0, "127.0.0.1")).Port;
        using SmtpClient client = new() { ServerCertificateValidationCallback = static (_, certificate, _, _) => certificate!.Subject == "CN=localhost" };
        Stream stream = (await IOStream.ConnectAsync("127.0.0.1", port)).AsStream();
        await client.ConnectAsync(stream, "localhost", port, SecureSocketOptions.StartTls);
        Assert.True(client.IsSecure);
        string text = string.Concat(Enumerable.Repeat("A line of some length, with a dot in front of the next.\r\n.\r\n", 5000));
        for (int i = 0; i < 3; i++) await client.SendAsync(Mail($"mail {i}", text));
        client.Send(Mail("mail 3", text));
        await client.DisconnectAsync(quit: true);
        Assert.Equal(4, mails.Count);
        for (int i = 0; i < 4; i++)
        {
            using MemoryStream mail = new(Encoding.UTF8.GetBytes(mails[i]));
            MimeMessage received = await MimeMessage.LoadAsync(mail);
            Assert.Equal($"mail {i}", received.Subject);
            Assert.Equal(text, received.TextBody!.ReplaceLineEndings("\r\n"));
        }
    }

    [Fact]
    public async Task Mails_are_fetched()
    {
        await using TcpServer server = new(ServeImapAsync);
        int port = ((IPEndPoint)server.Listen(0, "127.0.0.1")).Port;
        using ImapClient client = new();
        Stream stream = (await IOStream.ConnectAsync("127.0.0.1", port)).AsStream();
        await client.ConnectAsync(stream, "localhost", port, SecureSocketOptions.None);
        await client.AuthenticateAsync("user", "secret");
        await client.Inbox.OpenAsync(FolderAccess.ReadOnly);
        Assert.Equal(2, client.Inbox.Count);
        for (int i = 0; i < client.Inbox.Count; i++) Assert.Equal($"mail {i + 1}", (await client.Inbox.GetMessageAsync(i)).Subject);
        Assert.Equal("mail 2", client.Inbox.GetMessage(1).Subject);
        await client.DisconnectAsync(quit: true);
    }

    private static MimeMessage Mail(string subject, string text)
    {
        MimeMessage mail = new() { Subject = subject, Body = new TextPart("plain") { Text = text } };
        mail.From.Add(new MailboxAddress("Alice", "alice@example.com"));
        mail.To.Add(new MailboxAddress("Bob", "bob@example.com"));
        return mail;
    }

    private static async Task ServeSmtpAsync(IOStream stream, TlsFolder folder, List<string> mails)
    {
        await stream.WriteAsync("220 ready\r\n");
        bool isSecure = false;
        while (await stream.ReadLineAsync() is { } line)
        {
            string verb = line.Split(' ', ':')[0];
            if (verb == "DATA") await stream.WriteAsync("354 go on\r\n");
            if (verb == "DATA") mails.Add(Unstuff(Encoding.UTF8.GetString(await stream.ReadUntilAsync("\r\n.\r\n"u8))));
            await stream.WriteAsync(verb switch
            {
                "EHLO" => isSecure ? "250 localhost\r\n" : "250-localhost\r\n250 STARTTLS\r\n",
                "STARTTLS" => "220 go on\r\n",
                "QUIT" => "221 bye\r\n",
                _ => "250 fine\r\n",
            });
            if (verb == "QUIT") return;
            if (verb != "STARTTLS") continue;
            stream = await stream.StartTlsAsync(folder.ServerOptions());
            isSecure = true;
        }
    }

    /// <summary>The text before the last line, without the dots that protect dots.</summary>
    private static string Unstuff(string data) => data[..^3].Replace("\r\n..", "\r\n.");

    private static async Task ServeImapAsync(IOStream stream)
    {
        await stream.WriteAsync("* OK [CAPABILITY IMAP4rev1] ready\r\n");
        while (await stream.ReadLineAsync() is { } line)
        {
            string[] words = line.Split(' ');
            await stream.WriteAsync(words[1] switch
            {
                "CAPABILITY" => "* CAPABILITY IMAP4rev1\r\n",
                "LIST" => "* LIST (\\HasNoChildren) \"/\" INBOX\r\n",
                "SELECT" or "EXAMINE" => "* 2 EXISTS\r\n* 0 RECENT\r\n* FLAGS ()\r\n* OK [UIDVALIDITY 1]\r\n* OK [UIDNEXT 3]\r\n",
                "FETCH" => Fetch(int.Parse(words[2])),
                "LOGOUT" => "* BYE\r\n",
                _ => "",
            });
            await stream.WriteAsync($"{words[0]} OK {(words[1] == "EXAMINE" ? "[READ-ONLY] " : "")}done\r\n");
            if (words[1] == "LOGOUT") return;
        }
    }

    private static string Fetch(int number)
    {
        string mail = $"From: alice@example.com\r\nSubject: mail {number}\r\n\r\n{new string('x', 100_000)}\r\n";
        return $"* {number} FETCH (BODY[] {{{mail.Length}}}\r\n{mail})\r\n";
    }
}
