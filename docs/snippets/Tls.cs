using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Waterspout;

namespace Snippets;

internal static class Tls
{
    internal static async Task Client()
    {
        await using SslIOStream stream = await SslIOStream.ConnectAsync("example.com", 443, sslOptions: null);
        await stream.WriteAsync("HEAD / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n"u8);
        byte[] head = await stream.ReadUntilAsync("\r\n\r\n"u8, maxBytes: 65536);
        Console.WriteLine($"{head.Length} bytes over {stream.SslProtocol}");
    }

    internal static EndPoint Server(X509Certificate2 certificate, X509Certificate2Collection intermediates)
    {
        TcpServer server = new(HandleAsync, new TcpServerOptions
        {
            Ssl = new SslServerAuthenticationOptions
            {
                ServerCertificateContext = SslStreamCertificateContext.Create(certificate, intermediates, offline: true),
            },
            HandshakeTimeout = TimeSpan.FromSeconds(5),
        });
        return server.Listen(8443);
    }

    internal static SslServerAuthenticationOptions ByName(IReadOnlyDictionary<string, SslServerAuthenticationOptions> sites, X509Certificate2 standard)
    {
        SslServerAuthenticationOptions ssl = new()
        {
            ServerCertificateSelectionCallback = (_, name) =>
                name is not null && sites.TryGetValue(name, out SslServerAuthenticationOptions? site) ? site.ServerCertificate! : standard,
        };
        return ssl;
    }

    internal static (SslServerAuthenticationOptions, SslClientAuthenticationOptions) Mutual(
        X509Certificate2 serverCertificate, X509Certificate2 clientCertificate, X509Certificate2 root)
    {
        X509ChainPolicy trust = new()
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { root },
            RevocationMode = X509RevocationMode.NoCheck,
        };
        SslServerAuthenticationOptions server = new()
        {
            ServerCertificate = serverCertificate,
            ClientCertificateRequired = true,
            CertificateChainPolicy = trust,
        };
        SslClientAuthenticationOptions client = new()
        {
            TargetHost = "db.internal",
            ClientCertificates = [clientCertificate],
            CertificateChainPolicy = trust,
        };
        return (server, client);
    }

    internal static SslServerAuthenticationOptions Modern(X509Certificate2 certificate)
    {
        SslServerAuthenticationOptions modern = new()
        {
            ServerCertificate = certificate,
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
        await stream.FlushAsync();
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
