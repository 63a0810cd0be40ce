using System.Security.Authentication;
using System.Text;

namespace Waterspout.Interop.Tests;

/// <summary>A TLS stream as the client of `openssl s_server`.</summary>
public sealed class TlsServerPeerTests
{
    private const string WeakCiphers = "DEFAULT@SECLEVEL=0"; // without it OpenSSL itself refuses TLS 1.1

    [Theory]
    [InlineData("-tls1_2", SslProtocols.Tls12)]
    [InlineData("-tls1_3", SslProtocols.Tls13)]
    public void Lines_come_back_reversed_and_the_end_is_a_regular_one(string version, SslProtocols protocol) => TestLoop.Run(async () =>
    {
        using TlsFolder folder = new();
        using OpenSslServer server = await OpenSslServer.StartAsync(folder, version);
        using SslIOStream stream = await SslIOStream.ConnectAsync("127.0.0.1", server.Port, folder.ClientOptions());
        Assert.Equal(protocol, stream.SslProtocol);
        await AssertReversesAsync(stream);
        await stream.WriteAsync("CLOSE\n"u8);
        Assert.Empty(await stream.ReadUntilCloseAsync());
        Assert.Equal(CloseReason.EndOfStream, stream.CloseReason);
    });

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public void A_client_certificate_that_is_required_is_sent(string version) => TestLoop.Run(async () =>
    {
        using TlsFolder folder = new();
        using OpenSslServer server = await OpenSslServer.StartAsync(folder, version, "-Verify", "1", "-verify_return_error");
        using SslIOStream stream = await SslIOStream.ConnectAsync("127.0.0.1", server.Port, folder.ClientOptions(withCertificate: true));
        await AssertReversesAsync(stream);
    });

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public void Without_the_client_certificate_that_is_required_nothing_is_exchanged(string version) => TestLoop.Run(async () =>
    {
        using TlsFolder folder = new();
        using OpenSslServer server = await OpenSslServer.StartAsync(folder, version, "-Verify", "1", "-verify_return_error");
        // In TLS 1.3 the client is done before the server has checked, and the refusal comes with the first read.
        await Assert.ThrowsAsync<StreamClosedException>(async () =>
        {
            using SslIOStream stream = await SslIOStream.ConnectAsync("127.0.0.1", server.Port, folder.ClientOptions());
            await AssertReversesAsync(stream);
        });
    });

    [Fact]
    public void A_server_of_TLS_1_1_alone_is_refused() => TestLoop.Run(async () =>
    {
        using TlsFolder folder = new();
        using OpenSslServer server = await OpenSslServer.StartAsync(folder, "-tls1_1", "-cipher", WeakCiphers);
        StreamClosedException refused = await Assert.ThrowsAsync<StreamClosedException>(
            async () => await SslIOStream.ConnectAsync("127.0.0.1", server.Port, folder.ClientOptions()));
        Assert.IsType<AuthenticationException>(refused.InnerException);

        // A client that asks for the old version gets it, so the server did not refuse everything.
        using Child willing = Child.Start(Tool.Require("openssl"), "s_client", "-connect", $"127.0.0.1:{server.Port}", "-tls1_1", "-cipher", WeakCiphers);
        Child.Outcome outcome = await willing.FinishAsync([]);
        Assert.Contains("New, TLSv1.0, Cipher is ECDHE", Encoding.Latin1.GetString(outcome.Output));
    });

    private static async Task AssertReversesAsync(SslIOStream stream)
    {
        foreach ((string line, string reversed) in ((string, string)[])[("hello\n", "olleh\n"), ("once more\n", "erom ecno\n")])
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(line));
            Assert.Equal(reversed, Encoding.ASCII.GetString(await stream.ReadUntilAsync("\n"u8)));
        }
    }
}
