using System.Net.Security;
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

    internal void Validate(string parameter)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(Backlog, parameter);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxHandshakes, parameter);
        TimeLimit.CheckPositive(HandshakeTimeout, parameter);
        if (MaxConnections is { } connections) ArgumentOutOfRangeException.ThrowIfNegativeOrZero(connections, parameter);
        Stream?.Validate(parameter);
    }
}
