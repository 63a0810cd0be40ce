using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;
using Waterspout.Kestrel.Connections;

namespace Waterspout.Kestrel.Tls;

/// <summary>Makes the handshake of each connection, and TLS a layer of it.</summary>
internal sealed partial class HttpsMiddleware(ConnectionDelegate next, HandshakeSettings settings, ILogger logger)
{
    internal async Task RunAsync(ConnectionContext context)
    {
        if (context.Transport is not SocketConnection connection)
        {
            throw new InvalidOperationException(
                "UseWaterspoutHttps needs a connection of UseWaterspout, and no middleware before it that replaces the transport.");
        }

        RecordStream records = new(connection);
        SslStream ssl = new(records, leaveInnerStreamOpen: true);
        if (!await TryHandshakeAsync(context, ssl, records).ConfigureAwait(false))
        {
            await ssl.DisposeAsync().ConfigureAwait(false);
            return;
        }

        TlsFeatures features = new(ssl);
        context.Features.Set<ITlsConnectionFeature>(features);
        context.Features.Set<ITlsHandshakeFeature>(features);
        context.Features.Set<ITlsApplicationProtocolFeature>(features);
        connection.Insert((below, received) =>
        {
            records.MoveTo(below, received);
            return new TlsDescriptor(below, ssl, records);
        });
        await next(context).ConfigureAwait(false);
    }

    private async Task<bool> TryHandshakeAsync(ConnectionContext context, SslStream ssl, RecordStream records)
    {
        using CancellationTokenSource limit = new(settings.Timeout);
        try
        {
            ServerOptionsSelectionCallback select = async (stream, hello, _, token) =>
            {
                SslServerAuthenticationOptions options = await settings.Select(context, stream, hello, token).ConfigureAwait(false);
                // It would have to wait within a call on the descriptor.
                options.AllowRenegotiation = false;
                return options;
            };
            await ssl.AuthenticateAsServerAsync(select, null, limit.Token).ConfigureAwait(false);
            // What is unsent would be encrypted again.
            await records.FlushHandshakeAsync(limit.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            HandshakeTimedOut(context.ConnectionId);
        }
        catch (Exception error) when (error is IOException or AuthenticationException)
        {
            HandshakeFailed(context.ConnectionId, error);
        }

        return false;
    }

    // As with Kestrel's own HTTPS: anybody can cause them.
    [LoggerMessage(2, LogLevel.Debug, "The TLS handshake of connection {ConnectionId} has failed.")]
    private partial void HandshakeFailed(string connectionId, Exception error);

    [LoggerMessage(3, LogLevel.Debug, "The TLS handshake of connection {ConnectionId} was not done within the time limit.")]
    private partial void HandshakeTimedOut(string connectionId);
}
