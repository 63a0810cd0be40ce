using System.Net.Security;
using System.Net.Sockets;
using Waterspout.Loop;

namespace Waterspout;

/// <summary>How a <see cref="TcpServer"/> works. Do not change it once it is in use.</summary>
public sealed record TcpServerOptions
{
    /// <summary>
    /// The loops that connections are distributed over; <see cref="IOLoop.Current"/> alone when null. The caller disposes them.
    /// </summary>
    public IOLoopGroup? Loops { get; set; }

    /// <summary>
    /// Limits and settings of the streams; null for the defaults. If <see cref="IOStreamOptions.AllowHalfOpen"/> is not set, it is true.
    /// </summary>
    public IOStreamOptions? Stream { get; set; }

    /// <summary>TLS, if set: the handler is called when the handshake is done, with an <see cref="SslIOStream"/>.</summary>
    /// <remarks>
    /// The certificate, or a callback that chooses one by the name that the client asks for. A certificate context that is created once
    /// (<see cref="SslStreamCertificateContext"/>) and kept makes sessions resumable and handshakes cheaper.
    /// </remarks>
    public SslServerAuthenticationOptions? Ssl { get; set; }

    /// <summary>
    /// TLS with options that are selected for each client, by the name that it asks for (SNI) and the versions that it offers. Instead of
    /// <see cref="Ssl"/>.
    /// </summary>
    /// <remarks>
    /// <para>Called for each handshake, so what it returns may change at any time without a restart: connections keep what they have.
    /// Return options that are created once, each with its own <see cref="SslStreamCertificateContext"/>: creating one for each handshake
    /// is slow. The name is what the client sent, in any case, and empty if it sent none.</para>
    /// <para>Runs on a handshake's own thread, and may await; <see cref="HandshakeTimeout"/> runs meanwhile. The token is cancelled when
    /// the connection closes. An exception fails the handshake, and is logged as the reason.</para>
    /// </remarks>
    public Func<SslClientHelloInfo, CancellationToken, ValueTask<SslServerAuthenticationOptions>>? SelectSsl { get; set; }

    /// <summary>
    /// How long a TLS handshake may take, from the accept, before the connection is dropped. 10 seconds by default;
    /// <see cref="Timeout.InfiniteTimeSpan"/> for no limit.
    /// </summary>
    /// <remarks>
    /// For connections accepted with TLS it replaces the <see cref="IOStreamOptions.HandshakeTimeout"/> of <see cref="Stream"/>, which
    /// applies to connections that the handler upgrades.
    /// </remarks>
    public TimeSpan HandshakeTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How many TLS handshakes of accepted connections may be under way on each loop. 1000 by default. More wait, with their clients' data
    /// unread in the system, as long as <see cref="HandshakeTimeout"/> allows: see <see cref="IOStreamOptions.MaxHandshakes"/>, which this
    /// replaces.
    /// </summary>
    public int MaxHandshakes { get; set; } = 1000;

    /// <summary>
    /// How many connections may be open. At the limit no more are accepted: they wait in the backlog, and then at the client. Null, the
    /// default, means no limit.
    /// </summary>
    public int? MaxConnections { get; set; }

    /// <summary>
    /// How many connections the system may hold that have not been accepted yet. 1024 by default; the system has its own limit too.
    /// </summary>
    public int Backlog { get; set; } = 1024;

    /// <summary>
    /// Every loop has its own listening socket (SO_REUSEPORT), and the system distributes the connections; other servers and processes of
    /// the same user that set this option too may share the port. Off by default: the first loop accepts and hands over in turn, which is
    /// more even. Unix sockets cannot be shared.
    /// </summary>
    public bool ReusePort { get; set; }

    /// <summary>
    /// Called with each connection that is accepted, before anything is spent on it: false refuses it. Null, the default, admits all.
    /// </summary>
    /// <remarks>
    /// <para>A refused connection is closed, over TCP with a reset, counted as refused, and logged at Debug. An exception refuses it too,
    /// and is logged as an error. What <see cref="MaxConnections"/> holds back is not accepted, and does not get here.</para>
    /// <para>Runs on the loop that accepts, and must not block. With <see cref="ReusePort"/> that may be any of the loops.</para>
    /// </remarks>
    public Func<ConnectionRequest, bool>? OnConnection { get; set; }

    /// <summary>
    /// Called when a connection that was admitted has ended, with the object that <see cref="OnConnection"/> got: when its handler has
    /// ended and its stream is closed, or when it has not come to its handler. May be called on any thread.
    /// </summary>
    public Action<ConnectionRequest>? OnConnectionEnd { get; set; }

    /// <summary>
    /// Called with each listening socket that the server creates, before it is bound; for options that have no property here. What accepted
    /// sockets inherit can be set here too, at no cost for each. An exception is that of the call of
    /// <see cref="TcpServer.Listen(int, string?)"/>.
    /// </summary>
    /// <remarks>
    /// Set options only, and do not keep the object: it has a descriptor of its own, and is disposed when this returns.
    /// </remarks>
    public Action<Socket>? ConfigureSocket { get; set; }

    /// <summary>
    /// The server is behind proxies that say who the client is, with the PROXY protocol, version 1 or 2: haproxy, nginx, the load balancers
    /// of clouds. Null, the default, means it is not.
    /// </summary>
    /// <remarks>
    /// <para>Every connection then has to come from a trusted address and begin with a header, in front of TLS if that is used. One that
    /// does not is closed, with one line in the log: nothing else could tell a proxy from a client that claims to be one.</para>
    /// <para><see cref="IOStream.RemoteEndPoint"/> and the log have the client's address, <see cref="IOStream.ProxyHeader"/> all that the
    /// proxy says. <see cref="OnConnection"/> is called before anything is read, with the proxy's address.</para>
    /// </remarks>
    public ProxyProtocolOptions? Proxy { get; set; }

    /// <summary>
    /// The permissions of the file of a Unix socket that the server binds: a client needs write permission to connect. Null, the default,
    /// leaves them to the process's umask. Set before any client can connect. Abstract names have no file.
    /// </summary>
    public UnixFileMode? UnixFileMode { get; set; }

    internal void Validate(string parameter)
    {
        OptionCheck.Positive(Backlog, parameter);
        OptionCheck.Positive(MaxHandshakes, parameter);
        OptionCheck.Positive(HandshakeTimeout, parameter);
        if (MaxConnections is { } connections) OptionCheck.Positive(connections, parameter, nameof(MaxConnections));
        if (Ssl is not null && SelectSsl is not null)
            throw new ArgumentException($"Both {nameof(Ssl)} and {nameof(SelectSsl)} are set.", parameter);
        const UnixFileMode All = (UnixFileMode)0b111_111_111_111;
        if (UnixFileMode is { } mode && (mode & ~All) != 0)
            throw new ArgumentOutOfRangeException(parameter, mode, $"{nameof(UnixFileMode)} has undefined bits.");
        Proxy?.Validate(parameter);
        Stream?.Validate(parameter);
    }
}
