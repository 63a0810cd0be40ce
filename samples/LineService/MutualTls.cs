using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace LineService;

internal static class MutualTls
{
    /// <summary>TLS that asks for a certificate, and accepts only those that the authority in <c>ca.pem</c> has signed.</summary>
    internal static SslServerAuthenticationOptions Load(string folder)
    {
        X509Certificate2 authority = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(folder, "ca.pem"));
        X509Certificate2 own = X509Certificate2.CreateFromPemFile(Path.Combine(folder, "server.pem"), Path.Combine(folder, "server.key"));
        return new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(own, null, offline: true),
            ClientCertificateRequired = true,
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { authority },
                RevocationMode = X509RevocationMode.NoCheck,
                // A client could name any address for the issuer of its certificate.
                DisableCertificateDownloads = true,
            },
        };
    }
}
