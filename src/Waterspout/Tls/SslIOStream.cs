using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Waterspout.Tls;

namespace Waterspout;

/// <summary>A stream over TLS.</summary>
/// <remarks>
/// <para>The handshake begins with the stream, or as soon as its socket is connected, and runs off the loop's thread. Reads and writes may
/// be started before it is done. By default only what the platform trusts is trusted, and the certificate must contain the requested name;
/// sessions are resumed.</para>
/// <para>EOF: close_notify is sent by <see cref="BaseIOStream.CloseAsync"/> and <see cref="BaseIOStream.CompleteWritesAsync"/>, which wait
/// until the system has accepted it; and, once the peer has sent its own, by every close without an error. If the peer ends the connection
/// without it, the stream closes with <see cref="CloseReason.Truncated"/>, since the connection may have been cut off on the way.</para>
/// <para>A failed handshake closes the stream; <see cref="BaseIOStream.Error"/> is the <see cref="AuthenticationException"/>, or another
/// cause.</para>
/// <para>Threads, completion and cancellation are those of <see cref="BaseIOStream"/>.</para>
/// </remarks>
public partial class SslIOStream : IOStream
{
    private readonly SslClientAuthenticationOptions? _clientOptions;
    private readonly ServerAuthentication? _server;

    /// <summary>Creates the client side of a TLS connection.</summary>
    /// <param name="socket">
    /// Connected, or to be connected by <see cref="IOStream.ConnectAsync(System.Net.EndPoint, string?, CancellationToken)"/>. The stream owns it from now on.
    /// </param>
    /// <param name="sslOptions">
    /// The platform's options; null for its defaults. On a connected socket <see cref="SslClientAuthenticationOptions.TargetHost"/> has to
    /// name the server.
    /// </param>
    /// <param name="options">Limits and settings; null for the defaults.</param>
    /// <param name="loop">The loop that the stream belongs to; <see cref="IOLoop.Current"/> when null.</param>
    /// <inheritdoc cref="IOStream(Socket, IOStreamOptions?, IOLoop?)" path="/exception"/>
    public SslIOStream(
        Socket socket, SslClientAuthenticationOptions? sslOptions = null, IOStreamOptions? options = null, IOLoop? loop = null)
        : this(sslOptions, null, socket, options, loop)
    {
    }

    /// <summary>Creates the server side of a TLS connection.</summary>
    /// <param name="socket">Accepted. The stream owns it from now on.</param>
    /// <param name="sslOptions">
    /// The platform's options: the certificate, or a callback that chooses one by the name that the client asks for.
    /// </param>
    /// <param name="options">Limits and settings; null for the defaults.</param>
    /// <param name="loop">The loop that the stream belongs to; <see cref="IOLoop.Current"/> when null.</param>
    /// <inheritdoc cref="IOStream(Socket, IOStreamOptions?, IOLoop?)" path="/exception"/>
    public SslIOStream(Socket socket, SslServerAuthenticationOptions sslOptions, IOStreamOptions? options = null, IOLoop? loop = null)
        : this(null, ServerAuthentication.With(NotNull(sslOptions)), socket, options, loop)
    {
    }

    // The options are checked before the base class takes the socket.
    internal SslIOStream(
        SslClientAuthenticationOptions? clientOptions, ServerAuthentication? server, Socket socket, IOStreamOptions? options, IOLoop? loop)
        : base(socket, options, loop)
    {
        (_clientOptions, _server) = (clientOptions, server);
        StartIfConnected();
    }

    /// <summary>Over the connection of a plain stream, with the data that had arrived on it.</summary>
    internal SslIOStream(SslClientAuthenticationOptions? clientOptions, ServerAuthentication? server, IOStream plain)
        : base(plain, plain.Options, out byte[] received)
    {
        (_clientOptions, _server, _received) = (clientOptions, server, received);
        StartIfConnected();
    }

    private bool IsEstablished => !IsConnecting;

    /// <summary>
    /// The peer's certificate; null before the handshake is done, and for a client that has sent none. May be read from any thread.
    /// </summary>
    public X509Certificate2? RemoteCertificate => IsEstablished ? _engine!.RemoteCertificate : null;

    /// <summary>
    /// The negotiated version; <see cref="SslProtocols.None"/> before the handshake is done. May be read from any thread.
    /// </summary>
    public SslProtocols SslProtocol => IsEstablished ? _engine!.Protocol : SslProtocols.None;

    /// <summary>The negotiated cipher suite. May be read from any thread.</summary>
    /// <exception cref="InvalidOperationException">The handshake is not done.</exception>
    public TlsCipherSuite CipherSuite => IsEstablished
        ? _engine!.CipherSuite
        : throw new InvalidOperationException("The handshake is not done.");

    /// <summary>
    /// The protocol negotiated by ALPN; empty if there is none, or the handshake is not done. May be read from any thread.
    /// </summary>
    public SslApplicationProtocol ApplicationProtocol => IsEstablished ? _engine!.ApplicationProtocol : default;

    /// <summary>
    /// The server name that the client asked for (SNI); empty if there is none, or the handshake is not done. May be read from any thread.
    /// </summary>
    public string TargetHostName => IsEstablished ? _engine!.TargetHostName : "";

    private static SslServerAuthenticationOptions NotNull(SslServerAuthenticationOptions sslOptions)
    {
        ArgumentNullException.ThrowIfNull(sslOptions);
        return sslOptions;
    }
}
