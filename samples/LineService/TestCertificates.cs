using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LineService;

/// <summary>
/// An authority, and certificates that it has signed for a server on this machine and for one client. For trying out, not for use.
/// </summary>
internal static class TestCertificates
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    internal static void Write(string folder)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=Line service test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        using X509Certificate2 authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        File.WriteAllText(Path.Combine(folder, "ca.pem"), authority.ExportCertificatePem());
        WriteSigned(folder, "server", "localhost", ServerAuthentication, authority);
        WriteSigned(folder, "client", "alice", ClientAuthentication, authority);
    }

    private static void WriteSigned(string folder, string file, string name, string usage, X509Certificate2 authority)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        byte[] number = RandomNumberGenerator.GetBytes(16);
        using X509Certificate2 certificate = request.Create(authority, authority.NotBefore, authority.NotAfter, number);
        File.WriteAllText(Path.Combine(folder, $"{file}.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, $"{file}.key"), key.ExportPkcs8PrivateKeyPem());
    }
}
