using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Waterspout.Interop.Tests;

/// <summary>The platform's HTTP client over streams of ours, against nginx.</summary>
public sealed class HttpClientTests
{
    /// <summary>Who does the TLS, if there is any.</summary>
    public enum Security
    {
        None,

        /// <summary>The client, with SslStream over our stream.</summary>
        OnTop,

        /// <summary>We, under a client that speaks plain HTTP.</summary>
        Below,
    }

    [Theory]
    [InlineData("1.1", Security.None)]
    [InlineData("1.1", Security.OnTop)]
    [InlineData("1.1", Security.Below)]
    [InlineData("2.0", Security.OnTop)]
    public async Task Gets_pages_at_once_and_in_turn(string version, Security security)
    {
        await using Nginx nginx = new();
        byte[] page = new byte[300_000];
        new Random(1).NextBytes(page);
        await File.WriteAllBytesAsync(Path.Combine(nginx.Root, "page"), page);
        await nginx.StartAsync(isSecure: security != Security.None);
        using SocketsHttpHandler handler = new SocketsHttpHandler().UseWaterspout();
        if (security == Security.Below) handler.ConnectCallback = (context, token) => ConnectSecurelyAsync(context.DnsEndPoint, nginx, token);
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => IsOf(nginx, certificate);
        using HttpClient client = new(handler)
        {
            DefaultRequestVersion = Version.Parse(version),
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        string url = security == Security.None ? nginx.Url : nginx.SecureUrl;
        if (security == Security.Below) url = url.Replace("https:", "http:");
        for (int i = 0; i < 5; i++)
        {
            byte[][] answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => client.GetByteArrayAsync(url + "/page")));
            Assert.All(answers, answer => Assert.True(answer.AsSpan().SequenceEqual(page)));
        }

        using HttpResponseMessage missing = await client.GetAsync(url + "/missing");
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        Assert.Equal(Version.Parse(version), missing.Version);
    }

    private static async ValueTask<Stream> ConnectSecurelyAsync(DnsEndPoint server, Nginx nginx, CancellationToken token)
    {
        SslClientAuthenticationOptions options = new() { RemoteCertificateValidationCallback = (_, certificate, _, _) => IsOf(nginx, certificate) };
        return (await SslIOStream.ConnectAsync(server.Host, server.Port, options, cancellationToken: token)).AsStream();
    }

    private static bool IsOf(Nginx nginx, X509Certificate? certificate)
    {
        using X509Certificate2 expected = X509CertificateLoader.LoadCertificateFromFile(nginx.Certificate);
        return certificate?.GetCertHashString() == expected.GetCertHashString();
    }
}
