using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Waterspout.Kestrel.Tests;

// The same application over TCP, a Unix socket and both kinds of TLS.
internal sealed partial class TestServer
{
    private string? _path;
    private X509Certificate2? _certificate;

    /// <summary>Starts an application that is reached over a wire.</summary>
    internal static async Task<TestServer> StartAsync(
        TransportKind transport,
        Wire wire,
        Action<WebApplication> map,
        Action<WebApplicationBuilder>? configure = null,
        HttpProtocols protocols = HttpProtocols.Http1AndHttp2)
    {
        string? path = wire == Wire.Unix ? Path.Combine(Path.GetTempPath(), $"waterspout-{Guid.NewGuid():N}") : null;
        X509Certificate2? certificate = wire is Wire.Https or Wire.WaterspoutHttps ? Waiting.CreateCertificate() : null;
        TestServer server = await StartAsync(
            transport,
            map,
            kestrel: kestrel =>
            {
                kestrel.Limits.MaxRequestBodySize = null;
                if (path is not null) kestrel.ListenUnixSocket(path, Listen);
                else kestrel.Listen(IPAddress.Loopback, 0, Listen);
            },
            configure: configure);
        server._path = path;
        server._certificate = certificate;
        return server;

        void Listen(ListenOptions listen)
        {
            listen.Protocols = protocols;
            if (wire == Wire.Https) listen.UseHttps(certificate!);
            if (wire == Wire.WaterspoutHttps) listen.UseWaterspoutHttps(certificate!);
        }
    }

    /// <summary>The address for a client whose connections are made by <see cref="CreateHandler"/>.</summary>
    internal Uri Url => _path is not null ? new Uri("http://localhost/")
        : new UriBuilder(Address) { Scheme = _certificate is null ? "http" : "https", Host = "localhost" }.Uri;

    /// <summary>Makes connections to this server, whatever is in between.</summary>
    internal SocketsHttpHandler CreateHandler() => new()
    {
        // Else an answer without an end, whose reader has left, is read for two seconds more.
        ResponseDrainTimeout = TimeSpan.Zero,
        ConnectCallback = async (_, token) =>
        {
            Socket socket = _path is null ? new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true } : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(_path is null ? EndPoint : new UnixDomainSocketEndPoint(_path), token);
            return new NetworkStream(socket, ownsSocket: true);
        },
        SslOptions = { RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate!.Subject == Waiting.Subject },
    };

    internal HttpClient CreateWireClient() => new(CreateHandler()) { BaseAddress = Url, Timeout = Waiting.Limit };
}
