using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Waterspout.Kestrel.Listening;
using Waterspout.Kestrel.Tls;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>HTTPS below Kestrel.</summary>
/// <remarks>
/// The encryption is a layer of the connection, instead of a pair of pipes on top of it. The options are those of Kestrel's own
/// <c>UseHttps</c>, with three exceptions: a certificate has to be given, <c>ConfigureHttpsDefaults</c> is not applied, and a client's
/// certificate is requested in the handshake or not at all. A failed handshake is logged at Debug.
/// </remarks>
public static class WaterspoutListenOptionsExtensions
{
    /// <summary>Serves the endpoint over TLS.</summary>
    /// <param name="listen">The endpoint, of a server with <see cref="WaterspoutWebHostBuilderExtensions.UseWaterspout"/>.</param>
    /// <param name="certificate">The server's certificate, with its private key.</param>
    /// <returns>The same endpoint.</returns>
    /// <inheritdoc cref="UseWaterspoutHttps(ListenOptions, Action{HttpsConnectionAdapterOptions})" path="/exception"/>
    public static ListenOptions UseWaterspoutHttps(this ListenOptions listen, X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return listen.UseWaterspoutHttps(options => options.ServerCertificate = certificate);
    }

    /// <summary>Serves the endpoint over TLS.</summary>
    /// <param name="listen">The endpoint, of a server with <see cref="WaterspoutWebHostBuilderExtensions.UseWaterspout"/>.</param>
    /// <param name="configure">
    /// Sets Kestrel's options: the certificate or a selector by the name that the client asks for, versions, certificates of clients, the
    /// time limit of a handshake (ten seconds by default).
    /// </param>
    /// <returns>The same endpoint.</returns>
    /// <exception cref="InvalidOperationException">There is no certificate, or the server is not on Waterspout.</exception>
    /// <exception cref="NotSupportedException">A client's certificate is to be requested after the handshake.</exception>
    public static ListenOptions UseWaterspoutHttps(this ListenOptions listen, Action<HttpsConnectionAdapterOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(listen);
        ArgumentNullException.ThrowIfNull(configure);
        HttpsConnectionAdapterOptions options = new();
        configure(options);
        return Use(listen, HandshakeSettings.By(options, () => listen.Protocols));
    }

    /// <summary>Serves the endpoint over TLS, with options that are selected for each connection by the hello of its client.</summary>
    /// <param name="listen">The endpoint, of a server with <see cref="WaterspoutWebHostBuilderExtensions.UseWaterspout"/>.</param>
    /// <param name="select">
    /// Returns the platform's options. If these have no list of protocols, the versions of HTTP of the endpoint are offered. May run on any
    /// thread, for several connections at once; its token is cancelled at the time limit.
    /// </param>
    /// <param name="state">Passed to <paramref name="select"/>.</param>
    /// <param name="handshakeTimeout">The time limit of a handshake; ten seconds if null.</param>
    /// <returns>The same endpoint.</returns>
    /// <inheritdoc cref="UseWaterspoutHttps(ListenOptions, Action{HttpsConnectionAdapterOptions})" path="/exception"/>
    public static ListenOptions UseWaterspoutHttps(
        this ListenOptions listen, ServerOptionsSelectionCallback select, object? state = null, TimeSpan? handshakeTimeout = null)
    {
        ArgumentNullException.ThrowIfNull(listen);
        ArgumentNullException.ThrowIfNull(select);
        TimeSpan timeout = handshakeTimeout ?? TimeSpan.FromSeconds(10);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(timeout, TimeSpan.Zero, nameof(handshakeTimeout));
        return Use(listen, new HandshakeSettings(timeout, async (_, ssl, hello, token) =>
        {
            SslServerAuthenticationOptions options = await select(ssl, hello, state, token).ConfigureAwait(false);
            options.ApplicationProtocols ??= HandshakeSettings.NamesOf(listen.Protocols);
            return options;
        }));
    }

    private static ListenOptions Use(ListenOptions listen, HandshakeSettings settings)
    {
        if (!listen.ApplicationServices.GetServices<IConnectionListenerFactory>().Any(static factory => factory is WaterspoutTransportFactory))
            throw new InvalidOperationException("UseWaterspoutHttps needs a server on Waterspout: call UseWaterspout.");
        ILogger logger = listen.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger("Waterspout.Kestrel");
        listen.Use(next => new HttpsMiddleware(next, settings, logger).RunAsync);
        return listen;
    }
}
