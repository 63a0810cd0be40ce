using System.Net.Security;

namespace Waterspout.Tls;

/// <summary>The platform's options, completed for one connection.</summary>
internal static class TlsOptions
{
    /// <summary>
    /// The options with the name that the certificate must have. The caller's own object is shared, so it is not changed.
    /// </summary>
    internal static SslClientAuthenticationOptions ForServer(SslClientAuthenticationOptions? options, string? serverHostname)
    {
        if (options is { TargetHost: not null } || (options is not null && serverHostname is null)) return options;
        if (options is null) return new SslClientAuthenticationOptions { TargetHost = serverHostname };
        SslClientAuthenticationOptions completed = new()
        {
            TargetHost = serverHostname,
            AllowRenegotiation = options.AllowRenegotiation,
            AllowTlsResume = options.AllowTlsResume,
            ApplicationProtocols = options.ApplicationProtocols,
            CertificateChainPolicy = options.CertificateChainPolicy,
            CertificateRevocationCheckMode = options.CertificateRevocationCheckMode,
            CipherSuitesPolicy = options.CipherSuitesPolicy,
            ClientCertificateContext = options.ClientCertificateContext,
            ClientCertificates = options.ClientCertificates,
            EnabledSslProtocols = options.EnabledSslProtocols,
            EncryptionPolicy = options.EncryptionPolicy,
            LocalCertificateSelectionCallback = options.LocalCertificateSelectionCallback,
            RemoteCertificateValidationCallback = options.RemoteCertificateValidationCallback,
        };
        if (!OperatingSystem.IsLinux()) return completed;
        completed.AllowRsaPkcs1Padding = options.AllowRsaPkcs1Padding;
        completed.AllowRsaPssPadding = options.AllowRsaPssPadding;
        return completed;
    }
}
