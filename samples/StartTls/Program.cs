using System.CommandLine;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using StartTls;
using Waterspout;

Option<int> port = new("--port") { Description = "The port to serve on, for other clients. Without it, client and server both run in this process." };
Option<string?> cert = new("--tls-cert") { Description = "The certificate (PEM); by default one created for this run." };
Option<string?> key = new("--tls-key") { Description = "Its key (PEM)." };
RootCommand command = new("Delivers mail by SMTP with STARTTLS.") { port, cert, key };
command.SetAction(arguments =>
{
    using X509Certificate2 certificate = arguments.GetValue(cert) is { } path ? X509Certificate2.CreateFromPemFile(path, arguments.GetValue(key)) : MakeCertificate();
    SslServerAuthenticationOptions tls = new() { ServerCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true) };
    SmtpServer smtp = new(tls, message => Console.WriteLine($"-- the server got:\n{message}--"));
    using IOLoop loop = new();
    try
    {
        loop.RunSync(async () =>
        {
            await using TcpServer server = new(smtp.HandleAsync);
            IPEndPoint address = (IPEndPoint)server.Listen(arguments.GetValue(port), "127.0.0.1");
            Console.WriteLine($"listening on {address}");
            if (arguments.GetResult(port) is not null) await new TaskCompletionSource().Task;
            await SmtpClient.SendAsync("127.0.0.1", address.Port, Trusting(certificate), "Subject: hello\n\nOver TLS, on a connection that began in plain text.");
        });
        return 0;
    }
    catch (Exception error) when (error is IOException or InvalidDataException)
    {
        Console.Error.WriteLine($"StartTls: {error.Message}");
        return 1;
    }
});
return command.Parse(args).Invoke();

// Trusts this one certificate and no other, as a client would pin it.
static SslClientAuthenticationOptions Trusting(X509Certificate2 certificate) => new()
{
    TargetHost = "localhost",
    CertificateChainPolicy = new X509ChainPolicy
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        CustomTrustStore = { certificate },
        RevocationMode = X509RevocationMode.NoCheck,
    },
};

static X509Certificate2 MakeCertificate()
{
    using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    CertificateRequest request = new("CN=localhost", key, HashAlgorithmName.SHA256);
    SubjectAlternativeNameBuilder names = new();
    names.AddDnsName("localhost");
    request.CertificateExtensions.Add(names.Build());
    return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
}
