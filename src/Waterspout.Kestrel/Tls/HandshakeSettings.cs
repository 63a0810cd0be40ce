using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Waterspout.Kestrel.Tls;

/// <summary>How the handshakes of an endpoint are made.</summary>
/// <param name="Timeout">The time limit of each.</param>
/// <param name="Select">Chooses the options for a connection, by the hello of its client.</param>
internal sealed record HandshakeSettings(
    TimeSpan Timeout, Func<ConnectionContext, SslStream, SslClientHelloInfo, CancellationToken, ValueTask<SslServerAuthenticationOptions>> Select)
{
    /// <summary>By Kestrel's own options.</summary>
    internal static HandshakeSettings By(HttpsConnectionAdapterOptions options, Func<HttpProtocols> protocols)
    {
        if (options.ServerCertificate is null && options.ServerCertificateSelector is null)
            throw new InvalidOperationException("HTTPS needs a certificate: ServerCertificate or ServerCertificateSelector.");
        if (options.ClientCertificateMode == ClientCertificateMode.DelayCertificate)
            throw new NotSupportedException("A client's certificate can be requested in the handshake only, not later.");
        // Once: it builds the chain that is sent, and a client can resume its session only with the same context.
        SslStreamCertificateContext? certificate = options is { ServerCertificate: { } own, ServerCertificateSelector: null }
            ? SslStreamCertificateContext.Create(own, options.ServerCertificateChain)
            : null;
        return new HandshakeSettings(options.HandshakeTimeout, (connection, _, _, _) =>
        {
            SslServerAuthenticationOptions result = Create(options, certificate, protocols());
            if (options.ServerCertificateSelector is { } select)
            {
                result.ServerCertificateSelectionCallback = (_, name) =>
                    select(connection, name) ?? throw new InvalidOperationException($"There is no certificate for '{name}'.");
            }

            options.OnAuthenticate?.Invoke(connection, result);
            return new ValueTask<SslServerAuthenticationOptions>(result);
        });
    }

    /// <summary>The names of the versions of HTTP that an endpoint offers, the preferred one first.</summary>
    internal static List<SslApplicationProtocol> NamesOf(HttpProtocols protocols)
    {
        List<SslApplicationProtocol> names = [];
        if ((protocols & HttpProtocols.Http2) != 0) names.Add(SslApplicationProtocol.Http2);
        if ((protocols & HttpProtocols.Http1) != 0) names.Add(SslApplicationProtocol.Http11);
        return names;
    }

    private static SslServerAuthenticationOptions Create(
        HttpsConnectionAdapterOptions options, SslStreamCertificateContext? certificate, HttpProtocols protocols) => new()
        {
            ServerCertificateContext = certificate,
            ClientCertificateRequired = options.ClientCertificateMode != ClientCertificateMode.NoCertificate,
            RemoteCertificateValidationCallback = (_, client, chain, errors) => IsAccepted(options, client, chain, errors),
            EnabledSslProtocols = options.SslProtocols,
            CertificateRevocationCheckMode = options.CheckCertificateRevocation ? X509RevocationMode.Online : X509RevocationMode.NoCheck,
            ApplicationProtocols = NamesOf(protocols),
        };

    private static bool IsAccepted(HttpsConnectionAdapterOptions options, X509Certificate? client, X509Chain? chain, SslPolicyErrors errors)
    {
        if (client is null) return options.ClientCertificateMode != ClientCertificateMode.RequireCertificate;
        X509Certificate2 certificate = client as X509Certificate2 ?? new X509Certificate2(client);
        return options.ClientCertificateValidation is { } validate ? validate(certificate, chain, errors) : errors == SslPolicyErrors.None;
    }
}
