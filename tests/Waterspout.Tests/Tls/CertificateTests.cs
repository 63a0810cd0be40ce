using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Waterspout.Tests.Tls;

/// <summary>Certificates that must be rejected, each beside one that differs only in that respect, and is accepted.</summary>
public sealed class CertificateTests : TlsTest
{
    [Fact]
    public void A_certificate_for_another_host_is_refused()
    {
        AssertRefused(TestCertificates.OtherServer, TestCertificates.Root);
        AssertTaken(TestCertificates.OtherServer, TestCertificates.Root, host: "other.test");
    }

    [Fact]
    public void An_expired_certificate_is_refused()
    {
        AssertRefused(TestCertificates.MakeLeaf(TestCertificates.Host, TestCertificates.Root, isExpired: true), TestCertificates.Root);
        AssertTaken(TestCertificates.MakeLeaf(TestCertificates.Host, TestCertificates.Root), TestCertificates.Root);
    }

    [Fact]
    public void A_self_signed_certificate_is_refused_unless_it_is_trusted_itself()
    {
        X509Certificate2 certificate = TestCertificates.MakeLeaf(TestCertificates.Host, null);
        AssertRefused(certificate, TestCertificates.Root);
        AssertTaken(certificate, certificate);
    }

    [Fact]
    public void A_certificate_of_an_unknown_authority_is_refused()
    {
        AssertRefused(TestCertificates.Server, TestCertificates.OtherRoot);
        AssertTaken(TestCertificates.Server, TestCertificates.Root);
    }

    [Fact]
    public void A_certificate_whose_intermediate_does_not_come_along_is_refused()
    {
        X509Certificate2 certificate = TestCertificates.MakeLeaf(TestCertificates.Host, TestCertificates.Intermediate);
        AssertRefused(certificate, TestCertificates.Root);
        AssertTaken(certificate, TestCertificates.Root, sentAlong: [TestCertificates.Intermediate]);
    }

    [Fact]
    public void Without_a_policy_the_platform_decides() => Run(async () =>
    {
        (SslIOStream client, SslIOStream server) = BeginPair(client: new SslClientAuthenticationOptions { TargetHost = TestCertificates.Host });
        await AssertFails(client);
        await Assert.ThrowsAsync<StreamClosedException>(() => server.ReadBytesAsync(1).AsTask());
    });

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_server_refuses_a_client_without_the_certificate_it_requires(SslProtocols protocol) => Run(async () =>
    {
        SslServerAuthenticationOptions options = TestCertificates.ServerOptions();
        options.EnabledSslProtocols = protocol;
        options.ClientCertificateRequired = true;
        options.CertificateChainPolicy = TestCertificates.Trust(TestCertificates.Root);
        (SslIOStream client, SslIOStream server) = BeginPair(server: options);
        // With TLS 1.3 the client's handshake is done before the server has checked.
        Task<byte[]> read = client.ReadBytesAsync(1).AsTask();
        await AssertFails(server);
        await Assert.ThrowsAsync<StreamClosedException>(() => read);
    });

    [Fact]
    public void A_server_without_a_certificate_fails_and_so_does_its_client() => Run(async () =>
    {
        (SslIOStream client, SslIOStream server) = BeginPair(server: new SslServerAuthenticationOptions());
        AuthenticationException error = await AssertFails(server);
        Assert.IsType<NotSupportedException>(error.InnerException);
        await Assert.ThrowsAsync<StreamClosedException>(() => client.WaitForHandshakeAsync().AsTask());
    });

    [Fact]
    public void A_validation_callback_overrides_the_policy() => Run(async () =>
    {
        SslClientAuthenticationOptions options = TestCertificates.ClientOptions("wrong.test", TestCertificates.OtherRoot);
        SslPolicyErrors seen = SslPolicyErrors.None;
        options.RemoteCertificateValidationCallback = (_, _, _, errors) =>
        {
            seen = errors;
            return errors != SslPolicyErrors.None;
        };
        (SslIOStream client, SslIOStream server) = await ConnectPairAsync(client: options);
        Assert.Equal(SslPolicyErrors.RemoteCertificateNameMismatch | SslPolicyErrors.RemoteCertificateChainErrors, seen);
        await AssertEchoes(client, server);
    });

    [Fact]
    public void A_callback_that_throws_is_the_error() => Run(async () =>
    {
        SslClientAuthenticationOptions options = TestCertificates.ClientOptions();
        FormatException thrown = new("thrown by a test");
        options.RemoteCertificateValidationCallback = (_, _, _, _) => throw thrown;
        (SslIOStream client, _) = BeginPair(client: options);
        AuthenticationException error = await AssertFails(client);
        Assert.Contains(thrown.Message, error.ToString());
    });

    private void AssertTaken(X509Certificate2 certificate, X509Certificate2 trusted, string host = TestCertificates.Host, params X509Certificate2[] sentAlong) => Run(async () =>
    {
        (SslIOStream client, SslIOStream server) = await ConnectPairAsync(
            null, TestCertificates.ClientOptions(host, trusted), TestCertificates.ServerOptions(certificate, sentAlong));
        await AssertEchoes(client, server);
    });

    private void AssertRefused(X509Certificate2 certificate, X509Certificate2 trusted) => Run(async () =>
    {
        (SslIOStream client, SslIOStream server) = BeginPair(
            null, TestCertificates.ClientOptions(TestCertificates.Host, trusted), TestCertificates.ServerOptions(certificate));
        Task<byte[]> read = server.ReadBytesAsync(1).AsTask();
        await client.WriteAsync("must not arrive"u8);
        await AssertFails(client);
        await Assert.ThrowsAsync<StreamClosedException>(() => read);
        await Assert.ThrowsAsync<StreamClosedException>(() => server.ReadBytesAsync(1).AsTask());
    });

    private static async Task<AuthenticationException> AssertFails(SslIOStream stream)
    {
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(() => stream.WaitForHandshakeAsync().AsTask());
        Assert.Equal(CloseReason.Error, stream.CloseReason);
        Assert.Same(stream.Error, error.InnerException);
        StreamClosedException again = await Assert.ThrowsAsync<StreamClosedException>(() => stream.WaitForHandshakeAsync().AsTask());
        Assert.Same(stream.Error, again.InnerException);
        return Assert.IsType<AuthenticationException>(error.InnerException);
    }
}
