using System.Net.Security;
using System.Security.Authentication;
using Waterspout.Connecting;
using Waterspout.Diagnostics;
using Waterspout.Tls;

namespace Waterspout;

public partial class IOStream
{
    /// <summary>Upgrades a connection to TLS, as the client (STARTTLS). May be called from any thread.</summary>
    /// <param name="options">
    /// The platform's options. <see cref="SslClientAuthenticationOptions.TargetHost"/> has to name the server.
    /// </param>
    /// <param name="cancellationToken">Cancelling closes the connection.</param>
    /// <returns>
    /// The stream to continue with, when the handshake is done. It has this one's options, close callback and
    /// <see cref="BaseIOStream.Closed"/> token.
    /// </returns>
    /// <remarks>
    /// This object is no longer usable: its reads and writes throw an <see cref="InvalidOperationException"/>, and closing it does nothing.
    /// However the handshake ends, the descriptor is not leaked: on failure it is closed. Difference from Tornado, which also needs an idle
    /// stream: bytes that have arrived are not lost.
    /// </remarks>
    /// <example>
    /// <code>
    /// await plain.WriteAsync("STARTTLS\r\n"u8);
    /// await plain.ReadUntilAsync("\r\n"u8, maxBytes: 512);
    /// await using SslIOStream secure = await plain.StartTlsAsync(new SslClientAuthenticationOptions { TargetHost = host });
    /// </code>
    /// </example>
    /// <exception cref="InvalidOperationException">
    /// A read is pending, or unsent data remains that the system does not accept yet, or the stream is not connected, or was already
    /// upgraded. Nothing has changed.
    /// </exception>
    /// <exception cref="StreamClosedException">
    /// The handshake failed: the inner exception is an <see cref="AuthenticationException"/>. It also fails if the server had sent anything
    /// before it: such bytes may have been injected, to be taken for protected data.
    /// </exception>
    /// <exception cref="OperationCanceledException">The handshake was cancelled. The connection is closed.</exception>
    public ValueTask<SslIOStream> StartTlsAsync(SslClientAuthenticationOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return UpgradeAsync(options, null, cancellationToken);
    }

    /// <summary>
    /// Upgrades a connection to TLS, as the server (STARTTLS). Data that has already arrived is used as the beginning of the handshake.
    /// </summary>
    /// <param name="options">The platform's options.</param>
    /// <param name="cancellationToken">Cancelling closes the connection.</param>
    /// <inheritdoc cref="StartTlsAsync(SslClientAuthenticationOptions, CancellationToken)" path="/*[not(self::summary) and not(self::param)]"/>
    public ValueTask<SslIOStream> StartTlsAsync(SslServerAuthenticationOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return UpgradeAsync(null, ServerAuthentication.With(options), cancellationToken);
    }

    /// <summary>
    /// Upgrades a connection to TLS, as the server, with options that are selected by the client's hello: by the name that it asks for.
    /// </summary>
    /// <param name="select">See <see cref="TcpServerOptions.SelectSsl"/>.</param>
    /// <param name="cancellationToken">Cancelling closes the connection.</param>
    /// <inheritdoc cref="StartTlsAsync(SslServerAuthenticationOptions, CancellationToken)" path="/*[not(self::summary) and not(self::param)]"/>
    public ValueTask<SslIOStream> StartTlsAsync(
        Func<SslClientHelloInfo, CancellationToken, ValueTask<SslServerAuthenticationOptions>> select, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(select);
        return UpgradeAsync(null, ServerAuthentication.Select(select), cancellationToken);
    }

    internal ValueTask<SslIOStream> UpgradeAsync(
        SslClientAuthenticationOptions? client, ServerAuthentication? server, CancellationToken cancellationToken) =>
        Loop.IsCurrent
            ? UpgradeCoreAsync(client, server, cancellationToken)
            : OffLoop((Stream: this, client, server, cancellationToken, Tracing.Ambient), static call =>
            {
                Tracing.Continue(call.Ambient);
                return call.Stream.UpgradeCoreAsync(call.client, call.server, call.cancellationToken);
            });

    private async ValueTask<SslIOStream> UpgradeCoreAsync(
        SslClientAuthenticationOptions? client, ServerAuthentication? server, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (IsMoved || this is SslIOStream) throw new InvalidOperationException("The stream is already a TLS stream, or was taken over.");
        // What a completed write has left is sent now: "go ahead" is the last thing that a server sends in plain text.
        FlushWrites();
        if (IsClosed || IsEnding) throw ClosedException();
        if (IsReading || IsWriting || IsConnecting) throw new InvalidOperationException("The stream is reading, writing or connecting.");
        if (client is not null && HasReceivedAnything())
        {
            CloseNow(CloseReason.Error, new AuthenticationException("The server sent plain text before the TLS handshake."));
            throw ClosedException();
        }

        if (IsClosed || IsEnding) throw ClosedException();
        SslIOStream upgraded = new(client, server, this);
        ReplaceBy(upgraded);
        await upgraded.CompleteHandshakeAsync(cancellationToken);
        return upgraded;
    }

    /// <summary>Another stream has taken over the connection, and with it those who wait for its close.</summary>
    internal void ReplaceBy(IOStream upgraded)
    {
        Details.Upgraded = new WeakReference<IOStream>(upgraded);
        MoveListeners(upgraded);
    }

    /// <summary>A connection has taken over the descriptor.</summary>
    internal void SetTaker(ITaker taker) => Details.Taker = taker;

    /// <summary>The connection has closed or is failing, whoever has it.</summary>
    internal bool IsConnectionOver => CloseReason != CloseReason.None || _details?.Taker is { IsOver: true };

    /// <summary>Closes what has taken over the descriptor, if anything has. Completes when everything has been sent.</summary>
    internal Task CloseTakerAsync() => _details?.Taker?.CloseAsync() ?? Task.CompletedTask;

    /// <summary>Closes the connection, whichever stream owns it. May be called from any thread.</summary>
    internal void CloseHolder()
    {
        Close();
        // On the loop an upgrade is either complete, or is refused because of the close.
        Loop.TryInvoke(this, static stream =>
        {
            stream.Holder.Close();
            stream._details?.Taker?.Close();
        });
    }
}
