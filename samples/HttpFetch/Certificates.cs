using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace HttpFetch;

/// <summary>A certificate for localhost, created for this run, and trusted only here.</summary>
internal static class Certificates
{
    internal static (SslServerAuthenticationOptions Server, SslClientAuthenticationOptions Client) Make()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=localhost", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        X509ChainPolicy onlyThis = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { certificate }, RevocationMode = X509RevocationMode.NoCheck };
        return (new() { ServerCertificate = certificate }, new() { TargetHost = "localhost", CertificateChainPolicy = onlyThis });
    }
}
