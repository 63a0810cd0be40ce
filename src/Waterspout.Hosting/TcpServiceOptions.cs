namespace Waterspout.Hosting;

/// <summary>
/// A server that <c>AddTcpServer</c> has registered. The section <c>Waterspout:Servers:NAME</c> of the configuration overrides it.
/// </summary>
/// <remarks>
/// The key of a value is the path of its property: <c>Waterspout:Servers:NAME:Server:MaxConnections</c>. They are read once, at the start.
/// </remarks>
public sealed class TcpServiceOptions
{
    /// <summary>The addresses that the server listens on: on all of them, or the host does not start.</summary>
    /// <remarks>
    /// <para><c>127.0.0.1:8888</c>, <c>[::1]:8888</c>, <c>*:8888</c> for all addresses of the machine, <c>localhost:8888</c> or another
    /// name, <c>unix:/run/example.sock</c>, <c>unix:@name</c> for an abstract name, <c>systemd:name</c> for the sockets of that name that
    /// systemd has opened. Port 0 is any free one: see <see cref="TcpService.EndPoints"/>.</para>
    /// <para>In the configuration an array, <c>Listen:0</c>, <c>Listen:1</c> and so on, which replaces this list.</para>
    /// </remarks>
    /// <exception cref="ArgumentNullException">The list is null.</exception>
    public IList<string> Listen
    {
        get;
        set => field = value ?? throw new ArgumentNullException(nameof(value), $"{nameof(Listen)} must not be null.");
    } = [];

    /// <summary>
    /// How long connections may take to end after the host has begun to stop, before they are closed. Null, the default, for as long as the
    /// host waits (<c>HostOptions.ShutdownTimeout</c>, 30 seconds by default), which is a limit in any case.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative, and not infinite.</exception>
    public TimeSpan? Drain
    {
        get;
        set => field = value is not { } time || time >= TimeSpan.Zero || time == Timeout.InfiniteTimeSpan
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, $"{nameof(Drain)} must not be negative.");
    }

    /// <summary>
    /// How the server works: TLS, limits, the settings of its streams. <see cref="TcpServerOptions.Loops"/> are those of the services,
    /// unless they are set here.
    /// </summary>
    /// <remarks>
    /// The configuration overrides <see cref="TcpServerOptions.MaxConnections"/>, <see cref="TcpServerOptions.Backlog"/>,
    /// <see cref="TcpServerOptions.ReusePort"/>, <see cref="TcpServerOptions.HandshakeTimeout"/> and
    /// <see cref="TcpServerOptions.MaxHandshakes"/>, and of <see cref="TcpServerOptions.Stream"/>
    /// <see cref="IOStreamOptions.MaxBufferSize"/>, <see cref="IOStreamOptions.MaxWriteBufferSize"/>,
    /// <see cref="IOStreamOptions.ReadTimeout"/> and <see cref="IOStreamOptions.WriteTimeout"/>.
    /// </remarks>
    /// <exception cref="ArgumentNullException">The options are null.</exception>
    public TcpServerOptions Server
    {
        get;
        set => field = value ?? throw new ArgumentNullException(nameof(value), $"{nameof(Server)} must not be null.");
    } = new();
}
