using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Waterspout.Interop.Tests;

/// <summary>
/// The test's own root, and certificates for localhost and for a client, as objects and as PEM files in a folder that is deleted with the
/// test.
/// </summary>
internal sealed class TlsFolder : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("waterspout-tls-").FullName;
    private readonly X509Certificate2 _root;
    private readonly X509Certificate2 _server;
    private readonly X509Certificate2 _client;

    internal TlsFolder()
    {
        using ECDsa rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=Waterspout interop root", rootKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        _root = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-2), DateTimeOffset.UtcNow.AddDays(2));
        File.WriteAllText(Root, _root.ExportCertificatePem());
        _server = Issue("localhost", ServerCertificate, ServerKey);
        _client = Issue("client", ClientCertificate, ClientKey);
    }

    internal string Root => At("root.pem");

    internal string ServerCertificate => At("server.pem");

    internal string ServerKey => At("server.key");

    internal string ClientCertificate => At("client.pem");

    internal string ClientKey => At("client.key");

    internal string At(string name) => Path.Combine(_folder, name);

    internal SslServerAuthenticationOptions ServerOptions() => new()
    {
        ServerCertificateContext = SslStreamCertificateContext.Create(_server, null, offline: true),
    };

    /// <summary>The client's options: only the root is trusted.</summary>
    internal SslClientAuthenticationOptions ClientOptions(bool withCertificate = false) => new()
    {
        TargetHost = "localhost",
        ClientCertificateContext = withCertificate ? SslStreamCertificateContext.Create(_client, null, offline: true) : null,
        CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { _root },
            RevocationMode = X509RevocationMode.NoCheck,
        },
    };

    public void Dispose()
    {
        foreach (X509Certificate2 certificate in (X509Certificate2[])[_root, _server, _client]) certificate.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private X509Certificate2 Issue(string name, string certificateFile, string keyFile)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName(name);
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        using X509Certificate2 signed = request.Create(_root, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1), RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(certificateFile, signed.ExportCertificatePem());
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        using X509Certificate2 withKey = signed.CopyWithPrivateKey(key);
        // Through PKCS #12, so that the key stays with the certificate.
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }
}
