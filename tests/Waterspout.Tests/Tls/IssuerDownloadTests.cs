using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Waterspout.Tests.Tls;

/// <summary>A certificate may name an address of its issuer's certificate. With the options of the guide it is not contacted.</summary>
public sealed class IssuerDownloadTests : TlsTest
{
    [Fact]
    public void The_guides_server_fetches_nothing_for_a_clients_certificate() => Run(async () =>
    {
        using IssuerServer issuer = new();
        X509Certificate2 stranger = TestCertificates.MakeLeaf("client", TestCertificates.Intermediate, issuerAt: issuer.Address);
        (SslServerAuthenticationOptions options, _) = Snippets.Tls.Mutual(TestCertificates.Server, stranger, TestCertificates.Root);
        (SslIOStream client, SslIOStream server) = BeginPair(null, ClientOptions(stranger), options);
        Task<byte[]> read = client.ReadBytesAsync(1).AsTask();
        await Assert.ThrowsAsync<StreamClosedException>(() => server.WaitForHandshakeAsync().AsTask());
        await Assert.ThrowsAsync<StreamClosedException>(() => read);
        Assert.Equal(0, issuer.Requests);
    });

    [Fact]
    public void The_guides_client_fetches_nothing_for_a_servers_certificate() => Run(async () =>
    {
        using IssuerServer issuer = new();
        X509Certificate2 stranger = TestCertificates.MakeLeaf(TestCertificates.Host, TestCertificates.Intermediate, issuerAt: issuer.Address);
        (_, SslClientAuthenticationOptions options) = Snippets.Tls.Mutual(TestCertificates.Server, stranger, TestCertificates.Root);
        (SslIOStream client, SslIOStream server) = BeginPair(null, options, TestCertificates.ServerOptions(stranger));
        await Assert.ThrowsAsync<StreamClosedException>(() => client.WaitForHandshakeAsync().AsTask());
        await Assert.ThrowsAsync<StreamClosedException>(() => server.ReadBytesAsync(1).AsTask());
        Assert.Equal(0, issuer.Requests);
    });

    [Theory]
    [InlineData("server")]
    [InlineData("by name")]
    [InlineData("both sides")]
    [InlineData("versions")]
    [InlineData("getting started")]
    public void The_guides_server_fetches_nothing_for_its_own_certificate(string form) => Run(async () =>
    {
        using IssuerServer issuer = new();
        X509Certificate2 own = TestCertificates.MakeLeaf(TestCertificates.Host, TestCertificates.Intermediate, issuerAt: issuer.Address);
        SslServerAuthenticationOptions options = form switch
        {
            "server" => Snippets.Tls.Server(own, []),
            "by name" => Snippets.Tls.Sites(own, own, [])["shop.example.com"],
            "both sides" => Snippets.Tls.Mutual(own, TestCertificates.Client, TestCertificates.Root).Server,
            "versions" => Snippets.Tls.Modern(own),
            _ => await Snippets.GettingStarted.TlsServer(own),
        };
        for (int i = 0; i < 3; i++)
        {
            (SslIOStream client, SslIOStream server) = await ConnectPairAsync(null, ClientOptions(TestCertificates.Client), options);
            await AssertEchoes(client, server);
        }

        Assert.Equal(0, issuer.Requests);
    });

    [Fact]
    public void The_guides_server_chooses_its_options_by_name() => Run(async () =>
    {
        Dictionary<string, SslServerAuthenticationOptions> sites = new() { ["other.test"] = TestCertificates.ServerOptions(TestCertificates.OtherServer) };
        await using TcpServer server = Snippets.Tls.ByName(sites, TestCertificates.ServerOptions());
        EndPoint address = server.Listen(0, "127.0.0.1");
        foreach ((string name, X509Certificate2 certificate) in ((string, X509Certificate2)[])[("other.test", TestCertificates.OtherServer), (TestCertificates.Host, TestCertificates.Server)])
        {
            SslIOStream client = new(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp), TestCertificates.ClientOptions(name));
            await client.ConnectAsync(address);
            Assert.Equal(certificate.Thumbprint, client.RemoteCertificate!.Thumbprint);
            Assert.Equal("hello\r\n", Text(await client.ReadUntilCloseAsync()));
        }
    });

    [Fact]
    public void The_guides_look_at_a_hello_stays_within_it()
    {
        byte[] noise = new byte[600];
        for (int i = 0; i < 20_000; i++)
        {
            Random.Shared.NextBytes(noise);
            Assert.NotNull(Snippets.Tls.ServerName(noise.AsSpan(0, Random.Shared.Next(noise.Length))));
        }
    }

    // Accepts any server, so that the client has no chain to build.
    private static SslClientAuthenticationOptions ClientOptions(X509Certificate2 certificate) => new()
    {
        TargetHost = TestCertificates.Host,
        ClientCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true),
        CertificateChainPolicy = new X509ChainPolicy { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck },
        RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
    };
}
