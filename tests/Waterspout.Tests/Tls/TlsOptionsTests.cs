using System.Net.Security;
using System.Reflection;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Waterspout.Tls;

namespace Waterspout.Tests.Tls;

/// <summary>The platform's options, completed with the server's name.</summary>
public sealed class TlsOptionsTests
{
    [Fact]
    public void Without_options_there_is_the_name() => Assert.Equal("server.test", TlsOptions.ForServer(null, "server.test").TargetHost);

    [Fact]
    public void The_options_own_name_goes_first()
    {
        SslClientAuthenticationOptions options = new() { TargetHost = "own.test" };
        Assert.Same(options, TlsOptions.ForServer(options, "server.test"));
        Assert.Same(options, TlsOptions.ForServer(options, null));
    }

    [Fact]
    public void Everything_else_stays_as_it_was_asked_for()
    {
        // All of them, including those that a later .NET may add.
        foreach (PropertyInfo property in typeof(SslClientAuthenticationOptions).GetProperties())
        {
            if (property.Name == nameof(SslClientAuthenticationOptions.TargetHost)) continue;
            SslClientAuthenticationOptions options = new();
            property.SetValue(options, Other(property, property.GetValue(options)));
            SslClientAuthenticationOptions completed = TlsOptions.ForServer(options, "server.test");
            Assert.Equal("server.test", completed.TargetHost);
            Assert.Null(options.TargetHost);
            Assert.True(Equals(property.GetValue(options), property.GetValue(completed)), property.Name);
        }
    }

    private static object Other(PropertyInfo property, object? value) => property.Name switch
    {
        nameof(SslClientAuthenticationOptions.ApplicationProtocols) => new List<SslApplicationProtocol> { SslApplicationProtocol.Http2 },
        nameof(SslClientAuthenticationOptions.CertificateChainPolicy) => new X509ChainPolicy(),
        nameof(SslClientAuthenticationOptions.CertificateRevocationCheckMode) => X509RevocationMode.Offline,
        nameof(SslClientAuthenticationOptions.ClientCertificateContext) => SslStreamCertificateContext.Create(TestCertificates.Client, null, offline: true),
        nameof(SslClientAuthenticationOptions.ClientCertificates) => new X509CertificateCollection(),
        nameof(SslClientAuthenticationOptions.EnabledSslProtocols) => SslProtocols.Tls13,
#pragma warning disable SYSLIB0040, CA1416 // They are there, and may be set.
        nameof(SslClientAuthenticationOptions.EncryptionPolicy) => EncryptionPolicy.AllowNoEncryption,
        nameof(SslClientAuthenticationOptions.CipherSuitesPolicy) => new CipherSuitesPolicy([TlsCipherSuite.TLS_AES_128_GCM_SHA256]),
#pragma warning restore SYSLIB0040, CA1416
        nameof(SslClientAuthenticationOptions.LocalCertificateSelectionCallback) => new LocalCertificateSelectionCallback((_, _, _, _, _) => TestCertificates.Client),
        nameof(SslClientAuthenticationOptions.RemoteCertificateValidationCallback) => new RemoteCertificateValidationCallback((_, _, _, _) => false),
        _ when value is bool isSet => !isSet,
        _ => throw new InvalidOperationException($"{property.Name} is new: is it carried over?"),
    };
}
