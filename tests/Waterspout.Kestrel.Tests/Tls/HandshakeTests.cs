using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Waterspout.Kestrel.Tests.Tls;

/// <summary>What the options of an endpoint with TLS do in its handshakes, on each transport.</summary>
public sealed class HandshakeTests
{
    public static TheoryData<HttpsKind> Kinds => HttpsTests.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_certificate_is_selected_by_the_name_that_the_client_asks_for(HttpsKind kind)
    {
        X509Certificate2 certificate = Waiting.CreateCertificate();
        await using TestServer server = await StartAsync(kind, options =>
            options.ServerCertificateSelector = (_, name) => name == "localhost" ? certificate : null);
        using HttpClient client = HttpsTests.CreateClient(server, HttpVersion.Version20);
        Assert.Equal("none", await client.GetStringAsync("/certificate").InTime());
        using RawClient other = await server.ConnectAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => HttpsTests.HandshakeAsync(other, static ssl => ssl.TargetHost = "other").InTime());
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_certificate_of_the_client_reaches_the_application(HttpsKind kind)
    {
        await using TestServer server = await StartAsync(kind, static options =>
        {
            options.ServerCertificate = Waiting.CreateCertificate();
            options.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            options.ClientCertificateValidation = static (certificate, _, _) => certificate.Subject == Waiting.Subject;
        });
        using HttpClient client = HttpsTests.CreateClient(server, HttpVersion.Version11, static ssl =>
            ssl.LocalCertificateSelectionCallback = static (_, _, _, _, _) => Waiting.CreateCertificate());
        Assert.Equal(Waiting.Subject, await client.GetStringAsync("/certificate").InTime());
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_client_without_the_required_certificate_is_refused(HttpsKind kind)
    {
        await using TestServer server = await StartAsync(kind, static options =>
        {
            options.ServerCertificate = Waiting.CreateCertificate();
            options.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
        });
        using HttpClient client = HttpsTests.CreateClient(server, HttpVersion.Version11);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetStringAsync("/certificate").InTime());
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Options_are_selected_by_the_hello(HttpsKind kind)
    {
        using X509Certificate2 certificate = Waiting.CreateCertificate();
        ServerOptionsSelectionCallback select = async (_, hello, state, _) =>
        {
            await Task.Yield();
            Assert.Equal("the state", state);
            SslProtocols version = hello.ServerName == "localhost" ? SslProtocols.Tls12 : SslProtocols.Tls13;
            return new SslServerAuthenticationOptions { ServerCertificate = certificate, EnabledSslProtocols = version };
        };
        await using TestServer server = await HttpsTests.StartAsync(kind, listen: listen =>
        {
            if (kind == HttpsKind.Below) listen.UseWaterspoutHttps(select, "the state");
            else listen.UseHttps(select, "the state");
        });
        using RawClient one = await server.ConnectAsync();
        await using SslStream old = await HttpsTests.HandshakeAsync(one);
        Assert.Equal(SslProtocols.Tls12, old.SslProtocol);
        using RawClient two = await server.ConnectAsync();
        await using SslStream young = await HttpsTests.HandshakeAsync(two, static ssl => ssl.TargetHost = "other");
        Assert.Equal(SslProtocols.Tls13, young.SslProtocol);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_client_that_does_not_speak_is_disconnected_at_the_time_limit(HttpsKind kind)
    {
        await using TestServer server = await StartAsync(kind, static options =>
        {
            options.ServerCertificate = Waiting.CreateCertificate();
            options.HandshakeTimeout = TimeSpan.FromMilliseconds(300);
        });
        using RawClient silent = await server.ConnectAsync();
        Assert.Equal("", await silent.ReadToEndAsync().InTime());
        using RawClient half = await server.ConnectAsync();
        await half.SendAsync(new byte[] { 22, 3, 1, 2 });
        await half.ReadUntilErrorAsync().InTime();
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_client_without_TLS_is_disconnected_and_the_next_one_served(HttpsKind kind)
    {
        await using TestServer server = await HttpsTests.StartAsync(kind);
        using RawClient plain = await server.ConnectAsync();
        await plain.SendAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        await plain.ReadUntilErrorAsync().InTime();
        using HttpClient client = HttpsTests.CreateClient(server, HttpVersion.Version11);
        Assert.Equal("HTTP/1.1 https Tls13", await client.GetStringAsync("/").InTime());
        Assert.DoesNotContain(server.Log.Lines, static line => line.Level >= Microsoft.Extensions.Logging.LogLevel.Warning);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_record_that_was_changed_on_the_way_ends_the_connection(HttpsKind kind)
    {
        TaskCompletionSource<bool> failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await HttpsTests.StartRawAsync(kind, async connection =>
        {
            try
            {
                while (!(await connection.Transport.Input.ReadAsync()).IsCompleted) connection.Transport.Input.AdvanceTo(default);
                failed.SetResult(false);
            }
            catch (Exception)
            {
                failed.SetResult(true);
            }
        });
        using RawClient raw = await server.ConnectAsync();
        await using SslStream ssl = await HttpsTests.HandshakeAsync(raw);
        // Application data of 32 bytes, encrypted with no key of this connection.
        await raw.SendAsync(new byte[] { 23, 3, 3, 0, 32 }.Concat(new byte[32]).ToArray());
        Assert.True(await failed.Task.InTime());
    }

    [Fact]
    public async Task Mistakes_are_reported_when_the_endpoint_is_configured()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(HttpsKind.Below, static _ => { }));
        await Assert.ThrowsAsync<NotSupportedException>(() => StartAsync(HttpsKind.Below, static options =>
        {
            options.ServerCertificate = Waiting.CreateCertificate();
            options.ClientCertificateMode = ClientCertificateMode.DelayCertificate;
        }));
        await Assert.ThrowsAsync<InvalidOperationException>(() => TestServer.StartAsync(
            TransportKind.Stock, static _ => { }, static listen => listen.UseWaterspoutHttps(Waiting.CreateCertificate())));
    }

    private static Task<TestServer> StartAsync(HttpsKind kind, Action<HttpsConnectionAdapterOptions> configure) => HttpsTests.StartAsync(
        kind,
        static app => app.MapGet("/certificate", static context => context.SendAsync(context.Connection.ClientCertificate?.Subject ?? "none")),
        listen =>
        {
            if (kind == HttpsKind.Below) listen.UseWaterspoutHttps(configure);
            else listen.UseHttps(configure);
        });
}
