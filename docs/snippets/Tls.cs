using System.Buffers.Binary;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Waterspout;

namespace Snippets;

internal static class Tls
{
    internal static async Task Client()
    {
        await using SslIOStream stream = await SslIOStream.ConnectAsync("example.com", 443);
        await stream.WriteAsync("HEAD / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n"u8);
        byte[] head = await stream.ReadUntilAsync("\r\n\r\n"u8, maxBytes: 65536);
        Console.WriteLine($"{head.Length} bytes over {stream.SslProtocol}");
    }

    internal static SslServerAuthenticationOptions Server(X509Certificate2 certificate, X509Certificate2Collection intermediates)
    {
        TcpServer server = new(HandleAsync, new TcpServerOptions
        {
            Ssl = new SslServerAuthenticationOptions
            {
                ServerCertificateContext = SslStreamCertificateContext.Create(certificate, intermediates, offline: true),
            },
            HandshakeTimeout = TimeSpan.FromSeconds(5),
        });
        return server.Options.Ssl!;
    }

    internal static Dictionary<string, SslServerAuthenticationOptions> Sites(X509Certificate2 shop, X509Certificate2 mail, X509Certificate2Collection intermediates)
    {
        Dictionary<string, SslServerAuthenticationOptions> sites = new(StringComparer.OrdinalIgnoreCase)
        {
            ["shop.example.com"] = new() { ServerCertificateContext = SslStreamCertificateContext.Create(shop, intermediates, offline: true) },
            ["mail.example.com"] = new() { ServerCertificateContext = SslStreamCertificateContext.Create(mail, intermediates, offline: true) },
        };
        return sites;
    }

    internal static TcpServer ByName(Dictionary<string, SslServerAuthenticationOptions> sites, SslServerAuthenticationOptions standard)
    {
        TcpServer server = new(async stream =>
        {
            using CancellationTokenSource limit = new(TimeSpan.FromSeconds(10));
            // Peek only: the handshake reads the hello again.
            ReadOnlyMemory<byte> header = await stream.PeekAsync(5, limit.Token);
            ReadOnlyMemory<byte> hello = await stream.PeekAsync(5 + BinaryPrimitives.ReadUInt16BigEndian(header.Span[3..]), limit.Token);
            SslServerAuthenticationOptions options = sites.GetValueOrDefault(ServerName(hello.Span), standard);
            await using SslIOStream secure = await stream.StartTlsAsync(options, limit.Token);
            await HandleAsync(secure);
        });
        return server;
    }

    // The name in a ClientHello (RFC 8446, 4.1.2; RFC 6066, 3). Empty where there is none, or where the hello is not one.
    internal static string ServerName(ReadOnlySpan<byte> hello)
    {
        try
        {
            int at = 43;                                                 // headers, version, random
            at += 1 + hello[at];                                         // session
            at += 2 + BinaryPrimitives.ReadUInt16BigEndian(hello[at..]); // cipher suites
            at += 1 + hello[at];                                         // compression
            at += 2;                                                     // length of the extensions
            for (int length; at < hello.Length; at += 4 + length)
            {
                length = BinaryPrimitives.ReadUInt16BigEndian(hello[(at + 2)..]);
                if (BinaryPrimitives.ReadUInt16BigEndian(hello[at..]) == 0)
                    return Encoding.ASCII.GetString(hello.Slice(at + 9, BinaryPrimitives.ReadUInt16BigEndian(hello[(at + 7)..])));
            }
        }
        catch (Exception error) when (error is IndexOutOfRangeException or ArgumentOutOfRangeException)
        {
            // The handshake refuses it.
        }

        return "";
    }

    internal static (SslServerAuthenticationOptions Server, SslClientAuthenticationOptions Client) Mutual(
        X509Certificate2 serverCertificate, X509Certificate2 clientCertificate, X509Certificate2 root)
    {
        X509ChainPolicy trust = new()
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { root },
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        SslServerAuthenticationOptions server = new()
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(serverCertificate, null, offline: true),
            ClientCertificateRequired = true,
            CertificateChainPolicy = trust,
        };
        SslClientAuthenticationOptions client = new()
        {
            TargetHost = "db.internal",
            ClientCertificateContext = SslStreamCertificateContext.Create(clientCertificate, null, offline: true),
            CertificateChainPolicy = trust,
        };
        return (server, client);
    }

    internal static SslServerAuthenticationOptions Modern(X509Certificate2 certificate)
    {
        SslServerAuthenticationOptions modern = new()
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        };
        return modern;
    }

    internal static async Task StartTlsClient(IOStream stream)
    {
        await stream.WriteAsync("STARTTLS\r\n"u8);
        await stream.ReadUntilAsync("\r\n"u8);
        await using SslIOStream secure = await stream.StartTlsAsync(new SslClientAuthenticationOptions { TargetHost = "mail.example.com" });
        await secure.WriteAsync("EHLO me\r\n"u8);
    }

    internal static async Task StartTlsServer(IOStream stream, SslServerAuthenticationOptions options)
    {
        await stream.ReadUntilAsync("STARTTLS\r\n"u8);
        await stream.WriteAsync("220 go ahead\r\n"u8);
        await using SslIOStream secure = await stream.StartTlsAsync(options);
        await HandleAsync(secure);
    }

    internal static async Task Truncation(SslIOStream stream)
    {
        try
        {
            byte[] everything = await stream.ReadUntilCloseAsync();
            Console.WriteLine($"{everything.Length} bytes, and the peer said that this was all");
        }
        catch (StreamClosedException end) when (end.Reason == CloseReason.Truncated)
        {
            Console.WriteLine("The connection was cut off.");
        }
    }

    private static Task HandleAsync(IOStream stream) => stream.WriteAsync("hello\r\n"u8).AsTask();
}
