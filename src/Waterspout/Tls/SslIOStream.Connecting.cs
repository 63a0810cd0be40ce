using System.ComponentModel;
using System.Net;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using Waterspout.Loop;
using Waterspout.Tls;

namespace Waterspout;

public partial class SslIOStream
{
    /// <summary>Connects to a host by name (RFC 8305) and does the handshake; the host's name is sent, and must be in its certificate.</summary>
    /// <param name="host">A name or an IP address.</param>
    /// <param name="port">From 1 to 65535.</param>
    /// <param name="sslOptions">The platform's options; its defaults when null. Its target host, if set, stands in for <paramref name="host"/>.</param>
    /// <param name="options">Limits and habits; <see cref="IOStreamOptions.ConnectTimeout"/> includes the handshake.</param>
    /// <param name="cancellationToken">Cancelling closes everything.</param>
    /// <returns>A stream whose handshake is done, on <see cref="IOLoop.Current"/>, with Nagle's algorithm off.</returns>
    /// <exception cref="StreamClosedException">
    /// No connection (see <see cref="IOStream.ConnectAsync(string, int, IOStreamOptions?, CancellationToken)"/>), or the handshake failed: the inner
    /// exception is then an <see cref="AuthenticationException"/>.
    /// </exception>
    /// <exception cref="TimeoutException">The time limit passed.</exception>
    /// <exception cref="OperationCanceledException">Connecting was cancelled.</exception>
    // Before the overload below where both fit, as for a null.
    [OverloadResolutionPriority(1)]
    public static ValueTask<SslIOStream> ConnectAsync(string host, int port, SslClientAuthenticationOptions? sslOptions = null, IOStreamOptions? options = null, CancellationToken cancellationToken = default)
    {
        CheckConnect(host, port, options);
        return ConnectAndUpgradeAsync(host, port, TlsOptions.ForServer(sslOptions, host), options ?? IOStreamOptions.Default, cancellationToken);
    }

    /// <summary>Connects to a host by name and does the handshake, with the platform's defaults for TLS.</summary>
    /// <inheritdoc cref="ConnectAsync(string, int, SslClientAuthenticationOptions?, IOStreamOptions?, CancellationToken)"/>
    // Without it this call would find the method of the base class, which connects in the clear.
    public static new ValueTask<SslIOStream> ConnectAsync(string host, int port, IOStreamOptions? options, CancellationToken cancellationToken = default) =>
        ConnectAsync(host, port, sslOptions: null, options, cancellationToken);

    /// <summary>Not for TLS: <see cref="IOStream.CreatePair"/> makes plain streams. Upgrade both by <see cref="IOStream.StartTlsAsync(SslClientAuthenticationOptions, CancellationToken)"/> and its server's form.</summary>
    [Obsolete("IOStream.CreatePair makes plain streams. Upgrade both with StartTlsAsync.", error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public static new (IOStream, IOStream) CreatePair(IOStreamOptions? options = null, IOLoop? loop = null) => IOStream.CreatePair(options, loop);

    /// <inheritdoc/>
    /// <remarks>
    /// Completion: when the handshake is done. <paramref name="serverHostname"/> is sent to the server, and must be in its certificate; it is taken
    /// from a <see cref="DnsEndPoint"/> when null, and the target host of the options goes before both.
    /// </remarks>
    public override ValueTask ConnectAsync(EndPoint address, string? serverHostname = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (!Loop.IsCurrent) return CallElsewhere(() => ConnectAsync(address, serverHostname, cancellationToken));
        return LimitConnectAsync(ConnectAndAuthenticateAsync(address, serverHostname ?? (address as DnsEndPoint)?.Host, cancellationToken), address);
    }

    internal override Exception? RefuseConnect() => IsClosed ? ClosedException() : _transport.RefuseConnect();

    private async ValueTask ConnectAndAuthenticateAsync(EndPoint address, string? serverHostname, CancellationToken cancellationToken)
    {
        if (RefuseConnect() is { } refusal) throw refusal;
        await _transport.ConnectAsync(address, null, cancellationToken);
        StartHandshake(serverHostname);
        await CompleteHandshakeAsync(cancellationToken);
    }

    private static async ValueTask<SslIOStream> ConnectAndUpgradeAsync(string host, int port, SslClientAuthenticationOptions sslOptions, IOStreamOptions options, CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using IDisposable? timer = TimeLimit.Start(IOLoop.Current, options.ConnectTimeout, limit.Cancel);
        IOStream? plain = null;
        try
        {
            plain = await IOStream.ConnectAsync(host, port, options, limit.Token);
            return await plain.StartTlsAsync(sslOptions, limit.Token);
        }
        catch (Exception error)
        {
            // A limit that passes between the two leaves a plain stream.
            plain?.Close();
            cancellationToken.ThrowIfCancellationRequested();
            if (limit.IsCancellationRequested) throw new TimeoutException($"No TLS connection to {host}:{port} within {options.ConnectTimeout}.", error);
            throw;
        }
    }
}
