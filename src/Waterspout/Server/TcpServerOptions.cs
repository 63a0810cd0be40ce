using System.Net.Security;
using Waterspout.Loop;

namespace Waterspout;

/// <summary>How a <see cref="TcpServer"/> works. Do not change it once it is in use.</summary>
public sealed record TcpServerOptions
{
    /// <summary>The loops that connections are spread over; <see cref="IOLoop.Current"/> alone when null. They stay the caller's.</summary>
    public IOLoopGroup? Loops { get; set; }

    /// <summary>
    /// Limits and habits of the streams; the defaults when null. Where <see cref="IOStreamOptions.AllowHalfOpen"/> is not set, it is true.
    /// </summary>
    public IOStreamOptions? Stream { get; set; }

    /// <summary>TLS, where set: the handler is called when the handshake is done, with an <see cref="SslIOStream"/>.</summary>
    /// <remarks>
    /// The certificate, or a callback that chooses one by the name the client asks for. A certificate context that is made once
    /// (<see cref="SslStreamCertificateContext"/>) and kept makes sessions resumable and handshakes cheaper.
    /// </remarks>
    public SslServerAuthenticationOptions? Ssl { get; set; }

    /// <summary>
    /// How long a TLS handshake may take, from the acceptance of the connection, before that is dropped. 10 seconds by default;
    /// <see cref="Timeout.InfiniteTimeSpan"/> for no limit.
    /// </summary>
    /// <remarks>
    /// Of connections that are accepted with TLS it takes the place of the <see cref="IOStreamOptions.HandshakeTimeout"/> of <see cref="Stream"/>, which is
    /// that of connections that the handler upgrades.
    /// </remarks>
    public TimeSpan HandshakeTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How many TLS handshakes of accepted connections may be under way on each loop. 1000 by default. More wait, with what their clients have sent in the
    /// system, as long as <see cref="HandshakeTimeout"/> allows: see <see cref="IOStreamOptions.MaxHandshakes"/>, in whose place this is.
    /// </summary>
    public int MaxHandshakes { get; set; } = 1000;

    /// <summary>
    /// How many connections may be open. While there are as many, no more are accepted: they wait in the backlog, and then at the client.
    /// Without limit when null, which is the default.
    /// </summary>
    public int? MaxConnections { get; set; }

    /// <summary>How many connections the system may hold that have not been accepted yet. 1024 by default; the system has a limit of its own.</summary>
    public int Backlog { get; set; } = 1024;

    /// <summary>
    /// Every loop listens by itself (SO_REUSEPORT), and the system spreads the connections; other servers and processes of the same user that say so
    /// as well may share the port. Off by default: the first loop accepts and hands over in turn, which is more even. Unix sockets cannot be shared.
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
