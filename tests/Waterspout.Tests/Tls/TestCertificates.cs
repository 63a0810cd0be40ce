using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Waterspout.Tests.Tls;

/// <summary>The tests' own certificate authority, and certificates signed by it.</summary>
public static class TestCertificates
{
    public const string Host = "server.test";

    private static readonly DateTimeOffset s_begin = DateTimeOffset.UtcNow.AddDays(-10);
    private static readonly DateTimeOffset s_end = DateTimeOffset.UtcNow.AddYears(5);

    public static X509Certificate2 Root { get; } = MakeAuthority("Waterspout test root", null);

    public static X509Certificate2 OtherRoot { get; } = MakeAuthority("Another root", null);

    public static X509Certificate2 Intermediate { get; } = MakeAuthority("Waterspout test intermediate", Root);

    public static X509Certificate2 Server { get; } = MakeLeaf(Host, Root);

    public static X509Certificate2 OtherServer { get; } = MakeLeaf("other.test", Root);

    public static X509Certificate2 Client { get; } = MakeLeaf("client", Root);

    /// <summary>
    /// A certificate for a name, signed by an authority, or self-signed if there is none. It may name the address of its issuer's
    /// certificate.
    /// </summary>
    public static X509Certificate2 MakeLeaf(string host, X509Certificate2? authority, bool isExpired = false, string? issuerAt = null)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={host}", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName(host);
        if (host == Host) names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        if (issuerAt is not null) request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension(ocspUris: null, caIssuersUris: [issuerAt]));
        DateTimeOffset end = isExpired ? DateTimeOffset.UtcNow.AddDays(-1) : s_end.AddDays(-2);
        if (authority is null) return Portable(request.CreateSelfSigned(s_begin.AddDays(2), end));
        using X509Certificate2 signed = request.Create(authority, s_begin.AddDays(2), end, RandomNumberGenerator.GetBytes(8));
        using X509Certificate2 withKey = signed.CopyWithPrivateKey(key);
        return Portable(withKey);
    }

    /// <summary>The server's options: a certificate, and the intermediates that go to the client.</summary>
    public static SslServerAuthenticationOptions ServerOptions(X509Certificate2? certificate = null, params X509Certificate2[] sentAlong) => new()
    {
        ServerCertificateContext = SslStreamCertificateContext.Create(certificate ?? Server, [.. sentAlong], offline: true),
    };

    /// <summary>The client's options: only one root is trusted.</summary>
    public static SslClientAuthenticationOptions ClientOptions(string? host = Host, X509Certificate2? trusted = null) => new()
    {
        TargetHost = host,
        CertificateChainPolicy = Trust(trusted ?? Root),
    };

    public static X509ChainPolicy Trust(X509Certificate2 root) => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        CustomTrustStore = { root },
        RevocationMode = X509RevocationMode.NoCheck,
    };

    private static X509Certificate2 MakeAuthority(string name, X509Certificate2? issuer)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        if (issuer is null) return Portable(request.CreateSelfSigned(s_begin, s_end));
        using X509Certificate2 signed = request.Create(issuer, s_begin.AddDays(1), s_end.AddDays(-1), RandomNumberGenerator.GetBytes(8));
        using X509Certificate2 withKey = signed.CopyWithPrivateKey(key);
        return Portable(withKey);
    }

    // Through PKCS #12, so that the key stays with the certificate.
    private static X509Certificate2 Portable(X509Certificate2 certificate)
    {
        using (certificate) return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }
}
