using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Waterspout.Kestrel.Tests.Tls;

/// <summary>HTTPS by Kestrel on each transport, and by Waterspout below Kestrel: the same applications.</summary>
public enum HttpsKind
{
    Stock,
    OnTop,
    Below,
}

/// <inheritdoc cref="HttpsKind"/>
public sealed class HttpsTests
{
    private static readonly byte[] s_large = RandomNumberGenerator.GetBytes(3_000_000);

    public static TheoryData<HttpsKind> Kinds => [.. Enum.GetValues<HttpsKind>()];

    [Theory, MemberData(nameof(Kinds))]
    public async Task Both_versions_of_http(HttpsKind kind)
    {
        await using TestServer server = await StartAsync(kind);
        foreach (Version version in (Version[])[HttpVersion.Version11, HttpVersion.Version20])
        {
            using HttpClient client = CreateClient(server, version);
            Assert.Equal($"{Name(version)} https Tls13", await client.GetStringAsync("/"));
            string[] answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => client.GetStringAsync("/"))).InTime();
            Assert.All(answers, answer => Assert.StartsWith(Name(version), answer, StringComparison.Ordinal));
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Tls_1_2(HttpsKind kind)
    {
        await using TestServer server = await StartAsync(kind);
        using HttpClient client = CreateClient(server, HttpVersion.Version20, ssl => ssl.EnabledSslProtocols = SslProtocols.Tls12);
        Assert.Equal("HTTP/2 https Tls12", await client.GetStringAsync("/").InTime());
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Large_bodies_both_ways(HttpsKind kind)
    {
        await using TestServer server = await StartAsync(kind);
        foreach (Version version in (Version[])[HttpVersion.Version11, HttpVersion.Version20])
        {
            using HttpClient client = CreateClient(server, version);
            byte[] data = RandomNumberGenerator.GetBytes(5_000_000);
            using HttpResponseMessage response = await client.PostAsync("/hash", new ByteArrayContent(data)).InTime();
            Assert.Equal(Convert.ToHexString(SHA256.HashData(data)), await response.Content.ReadAsStringAsync().InTime());
            byte[][] large = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => client.GetByteArrayAsync("/large"))).InTime();
            Assert.All(large, static body => Assert.Equal(SHA256.HashData(s_large), SHA256.HashData(body)));
        }
    }

    // Kestrel's own HTTPS sends none.
    [Fact]
    public async Task A_large_body_to_a_slow_reader_ends_with_close_notify()
    {
        await using TestServer server = await StartAsync(HttpsKind.Below);
        SslClientAuthenticationOptions ssl = new() { RemoteCertificateValidationCallback = Waiting.IsOurs };
        await using SslIOStream client = await SslIOStream.ConnectAsync("127.0.0.1", server.EndPoint.Port, ssl);
        await client.WriteAsync("GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"u8);
        await client.ReadUntilAsync("\r\n\r\n"u8);
        // In small pieces, so that the server finds the connection full.
        byte[] body = new byte[s_large.Length];
        for (int count = 0; count < body.Length;)
        {
            Memory<byte> piece = body.AsMemory(count, Math.Min(10_000, body.Length - count));
            count += await client.ReadIntoAsync(piece, partial: true).AsTask().InTime();
        }

        Assert.Equal(SHA256.HashData(s_large), SHA256.HashData(body));
        Assert.Empty(await client.ReadUntilCloseAsync().AsTask().InTime());
        Assert.Equal(CloseReason.EndOfStream, client.CloseReason);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_request_in_single_records(HttpsKind kind)
    {
        await using TestServer server = await StartAsync(kind);
        using RawClient raw = await server.ConnectAsync();
        await using SslStream ssl = await HandshakeAsync(raw);
        foreach (byte one in "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"u8.ToArray()) await ssl.WriteAsync(new[] { one });
        using StreamReader reader = new(ssl);
        Assert.Contains("HTTP/1.1 https Tls13", await reader.ReadToEndAsync().InTime(), StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_client_that_sends_its_request_and_EOF_with_the_handshake(HttpsKind kind)
    {
        TaskCompletionSource<string> read = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await StartRawAsync(kind, async connection =>
        {
            try
            {
                using StreamReader reader = new(connection.Transport.Input.AsStream());
                read.SetResult(await reader.ReadToEndAsync());
            }
            catch (Exception error)
            {
                read.SetException(error);
            }
        });
        using RawClient raw = await server.ConnectAsync();
        await using SslStream ssl = await HandshakeAsync(raw);
        await ssl.WriteAsync("the whole message"u8.ToArray());
        await ssl.ShutdownAsync();
        raw.SendEof();
        Assert.Equal("the whole message", await read.Task.InTime());
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_features_say_what_was_negotiated(HttpsKind kind)
    {
        await using TestServer server = await StartAsync(kind, app => app.MapGet("/features", static (HttpContext context) =>
        {
            ITlsHandshakeFeature handshake = context.Features.GetRequiredFeature<ITlsHandshakeFeature>();
            return $"{handshake.Protocol} {handshake.NegotiatedCipherSuite} {context.Connection.ClientCertificate?.Subject}";
        }));
        using HttpClient client = CreateClient(server, HttpVersion.Version11, static ssl => ssl.CipherSuitesPolicy = new([TlsCipherSuite.TLS_AES_128_GCM_SHA256]));
        Assert.Equal("Tls13 TLS_AES_128_GCM_SHA256 ", await client.GetStringAsync("/features").InTime());
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Curl_with_each_version(HttpsKind kind)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/curl"), "curl is not installed.");
        await using TestServer server = await StartAsync(kind);
        foreach ((string option, string name) in ((string, string)[])[("--http1.1", "HTTP/1.1"), ("--http2", "HTTP/2")])
        {
            ProcessStartInfo start = new("/usr/bin/curl", ["-sSk", option, $"https://localhost:{server.EndPoint.Port}/"]) { RedirectStandardOutput = true };
            using Process curl = Process.Start(start)!;
            Assert.StartsWith($"{name} https Tls13", await curl.StandardOutput.ReadToEndAsync().InTime(), StringComparison.Ordinal);
        }
    }

    internal static Task<TestServer> StartAsync(HttpsKind kind, Action<WebApplication>? map = null, Action<ListenOptions>? listen = null) =>
        TestServer.StartAsync(TransportOf(kind), app =>
        {
            MapAll(app);
            map?.Invoke(app);
        }, listen ?? (options => Use(options, kind)));

    internal static Task<TestServer> StartRawAsync(HttpsKind kind, Microsoft.AspNetCore.Connections.ConnectionDelegate handler) =>
        TestServer.StartAsync(TransportOf(kind), static _ => { }, listen =>
        {
            Use(listen, kind);
            listen.Use(_ => handler);
        });

    internal static void Use(ListenOptions listen, HttpsKind kind)
    {
        X509Certificate2 certificate = Waiting.CreateCertificate();
        if (kind == HttpsKind.Below) listen.UseWaterspoutHttps(certificate);
        else listen.UseHttps(certificate);
    }

    internal static TransportKind TransportOf(HttpsKind kind) => kind == HttpsKind.Stock ? TransportKind.Stock : TransportKind.Waterspout;

    internal static HttpClient CreateClient(TestServer server, Version version, Action<SslClientAuthenticationOptions>? configure = null)
    {
        SocketsHttpHandler handler = new();
        handler.SslOptions.RemoteCertificateValidationCallback = Waiting.IsOurs;
        configure?.Invoke(handler.SslOptions);
        return new HttpClient(handler)
        {
            BaseAddress = new Uri($"https://localhost:{server.EndPoint.Port}"),
            DefaultRequestVersion = version,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = TimeSpan.FromSeconds(30),
        };
    }

    internal static async Task<SslStream> HandshakeAsync(RawClient raw, Action<SslClientAuthenticationOptions>? configure = null)
    {
        SslStream ssl = new(new System.Net.Sockets.NetworkStream(raw.Socket));
        SslClientAuthenticationOptions options = new()
        {
            TargetHost = "localhost",
            RemoteCertificateValidationCallback = Waiting.IsOurs,
        };
        configure?.Invoke(options);
        await ssl.AuthenticateAsClientAsync(options).InTime();
        return ssl;
    }

    private static string Name(Version version) => version == HttpVersion.Version20 ? "HTTP/2" : "HTTP/1.1";

    private static void MapAll(WebApplication app)
    {
        app.MapGet("/", static context =>
        {
            ITlsHandshakeFeature tls = context.Features.GetRequiredFeature<ITlsHandshakeFeature>();
            return context.SendAsync($"{context.Request.Protocol} {context.Request.Scheme} {tls.Protocol}");
        });
        app.MapPost("/hash", static async context => await context.SendAsync(Convert.ToHexString(await SHA256.HashDataAsync(context.Request.Body))));
        app.MapGet("/large", static () => Results.Bytes(s_large));
    }
}
