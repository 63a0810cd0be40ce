using System.ComponentModel;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using Waterspout.Connecting;
using Waterspout.Diagnostics;
using Waterspout.Loop;
using Waterspout.Tls;

namespace Waterspout;

public partial class SslIOStream
{
    /// <summary>
    /// Connects to a host by name (RFC 8305) and does the handshake; the host's name is sent, and must be in its certificate.
    /// </summary>
    /// <param name="host">A name or an IP address.</param>
    /// <param name="port">From 1 to 65535.</param>
    /// <param name="sslOptions">
    /// The platform's options; null for its defaults. Its target host, if set, replaces <paramref name="host"/>.
    /// </param>
    /// <param name="options">Limits and settings; <see cref="IOStreamOptions.ConnectTimeout"/> includes the handshake.</param>
    /// <param name="cancellationToken">Cancelling closes the connection.</param>
    /// <returns>A stream whose handshake is done, on <see cref="IOLoop.Current"/>, with Nagle's algorithm off.</returns>
    /// <exception cref="StreamClosedException">
    /// Connecting failed (see <see cref="IOStream.ConnectAsync(string, int, IOStreamOptions?, CancellationToken)"/>), or the handshake did:
    /// the inner exception is then an <see cref="AuthenticationException"/>.
    /// </exception>
    /// <exception cref="TimeoutException">The time limit expired.</exception>
    /// <exception cref="OperationCanceledException">Connecting was cancelled.</exception>
    // Takes precedence over the overload below where both apply, as for a null.
    [OverloadResolutionPriority(1)]
    public static ValueTask<SslIOStream> ConnectAsync(
        string host,
        int port,
        SslClientAuthenticationOptions? sslOptions = null,
        IOStreamOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        HappyEyeballs.CheckArguments(host, port, options);
        return ConnectAndUpgradeAsync(
            host, port, TlsOptions.ForServer(sslOptions, host), options ?? IOStreamOptions.Default, cancellationToken);
    }

    /// <summary>Connects to a host by name and does the handshake, with the platform's defaults for TLS.</summary>
    /// <inheritdoc cref="ConnectAsync(string, int, SslClientAuthenticationOptions?, IOStreamOptions?, CancellationToken)"/>
    // Without it this call would resolve to the method of the base class, which connects in plain text.
    public static new ValueTask<SslIOStream> ConnectAsync(
        string host, int port, IOStreamOptions? options, CancellationToken cancellationToken = default) =>
        ConnectAsync(host, port, sslOptions: null, options, cancellationToken);

    /// <summary>
    /// Not for TLS: <see cref="IOStream.CreatePair"/> creates plain streams. Upgrade both with
    /// <see cref="IOStream.StartTlsAsync(SslClientAuthenticationOptions, CancellationToken)"/> and its server overload.
    /// </summary>
    [Obsolete("IOStream.CreatePair creates plain streams. Upgrade both with StartTlsAsync.", error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public static new (IOStream, IOStream) CreatePair(IOStreamOptions? options = null, IOLoop? loop = null) =>
        IOStream.CreatePair(options, loop);

    private static async ValueTask<SslIOStream> ConnectAndUpgradeAsync(
        string host,
        int port,
        SslClientAuthenticationOptions sslOptions,
        IOStreamOptions options,
        CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        IOLoop loop = IOLoop.Current;
        using IDisposable? timer = TimeLimit.Start(loop, options.ConnectTimeout, () =>
        {
            loop.Counters.Timeouts[(int)TimedOperation.Connect]++;
            limit.Cancel();
        });
        IOStream? plain = null;
        try
        {
            plain = await HappyEyeballs.ConnectAsync(host, port, options, loop, timeout: null, limit.Token);
            return await plain.StartTlsAsync(sslOptions, limit.Token);
        }
        catch (Exception error)
        {
            // If the limit expires between the two steps, a plain stream is left.
            plain?.Close();
            cancellationToken.ThrowIfCancellationRequested();
            if (limit.IsCancellationRequested)
                throw new TimeoutException($"No TLS connection to {host}:{port} within {options.ConnectTimeout}.", error);
            throw;
        }
    }
}
