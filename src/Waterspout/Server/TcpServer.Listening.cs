using System.Net;
using System.Net.Sockets;
using Waterspout.Connecting;
using Waterspout.Diagnostics;
using Waterspout.Interop;
using Waterspout.Loop;
using Waterspout.Server;

namespace Waterspout;

public partial class TcpServer
{
    /// <summary>Listens on a TCP port. May be called from any thread.</summary>
    /// <param name="port">The port; zero for any free one.</param>
    /// <param name="address">
    /// An IP address, or a host name, in which case all its addresses are listened on; null or empty for all addresses of the machine, IPv4
    /// and IPv6. IPv6 addresses of a name that the machine does not have are skipped if the name has another address.
    /// </param>
    /// <returns>The address and port listened on; for a name, the first one.</returns>
    /// <remarks>
    /// A name is resolved on the calling thread, which waits. <c>localhost</c> is not resolved: it means the loopback addresses.
    /// </remarks>
    /// <exception cref="SocketException">Listening failed, or the name is unknown. The message contains the address.</exception>
    /// <exception cref="InvalidOperationException">
    /// A name has to be resolved, and this is a loop's thread: use <see cref="ListenAsync(int, string?, CancellationToken)"/>.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The server has been stopped.</exception>
    public EndPoint Listen(int port, string? address = null)
    {
        if (FindAddresses(address) is { } known) return ListenOn(known, port);
        if (IOLoop.IsAnyCurrent)
        {
            throw new InvalidOperationException(
                $"Resolving '{address}' would block the loop. Use {nameof(ListenAsync)}, or an IP address.");
        }
        // Not in this thread's own context, which may be blocked here.
        return ListenOn(Task.Run(() => ResolveAsync(address!, port, CancellationToken.None)).GetAwaiter().GetResult(), port);
    }

    /// <summary>
    /// Listens on an IP address, on the addresses of a name (<see cref="DnsEndPoint"/>), or on the path or abstract name of a Unix socket.
    /// May be called from any thread.
    /// </summary>
    /// <returns>The address and port listened on.</returns>
    /// <remarks>
    /// A dead socket at the path is replaced. A file of any other kind is left alone, and reported as an error. A stop removes the file of
    /// the server's own socket, unless another one has replaced it.
    /// </remarks>
    /// <inheritdoc cref="Listen(int, string?)" path="/exception"/>
    public EndPoint Listen(EndPoint endPoint)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        return endPoint is DnsEndPoint name ? Listen(name.Port, name.Host) : ListenOnAll([endPoint])[0];
    }

    /// <summary>
    /// Listens on a socket that was bound elsewhere: by you, with options of your own, or by a supervisor (<see cref="SystemdSockets"/>).
    /// May be called from any thread.
    /// </summary>
    /// <param name="listening">
    /// A stream socket, bound to an IP address or to the address of a Unix socket. It may listen already, and then keeps its backlog. The
    /// server owns it from now on, and disposes it when it stops, unless this fails.
    /// </param>
    /// <returns>The address listened on.</returns>
    /// <remarks>
    /// The socket becomes non-blocking, also for other processes that have it. Its file, if it has one, is left to the socket: a
    /// <see cref="Socket"/> that was bound in this process removes it, and a supervisor's stays. Options of the streams that are inherited,
    /// as <see cref="IOStreamOptions.KeepAlive"/>, are set on it; <see cref="TcpServerOptions.ConfigureSocket"/> is not called. The first
    /// loop accepts for all.
    /// </remarks>
    /// <exception cref="ArgumentException">It is not such a socket.</exception>
    /// <exception cref="InvalidOperationException">The socket already belongs to a stream or a server.</exception>
    /// <exception cref="SocketException">Listening failed, for example on a connected socket.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed, or the server has been stopped.</exception>
    public EndPoint Listen(Socket listening)
    {
        ArgumentNullException.ThrowIfNull(listening);
        return Open(listeners =>
        {
            ObjectDisposedException.ThrowIf(_loops[0].IsDisposed, _loops[0]);
            ListeningSocket socket = ListeningSocket.Adopt(listening, fd => SocketSettings.Apply(fd, _streamOptions));
            listeners.Add(new Listener(socket, _loops[0], HasRoom, fd => Accept(fd, Next())));
            return [socket.EndPoint];
        })[0];
    }

    /// <summary>Listens on a TCP port. A name is resolved without blocking the caller. May be called from any thread.</summary>
    /// <param name="port">The port; zero for any free one.</param>
    /// <param name="address">As for <see cref="Listen(int, string?)"/>.</param>
    /// <param name="cancellationToken">Cancelling ends the wait for the name's addresses, and nothing is listened on.</param>
    /// <returns>The address and port listened on; for a name, the first one.</returns>
    /// <exception cref="SocketException">Listening failed, or the name is unknown. The message contains the address.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The server has been stopped.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The port is not from 0 to 65535.</exception>
    public Task<EndPoint> ListenAsync(int port, string? address = null, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(port);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, IPEndPoint.MaxPort);
        return ListenCoreAsync();

        async Task<EndPoint> ListenCoreAsync()
        {
            cancellationToken.ThrowIfCancellationRequested();
            return ListenOn(FindAddresses(address) ?? await ResolveAsync(address!, port, cancellationToken), port);
        }
    }

    /// <summary>
    /// Listens on an IP address, on the addresses of a name (<see cref="DnsEndPoint"/>), or on the path or abstract name of a Unix socket.
    /// May be called from any thread.
    /// </summary>
    /// <param name="endPoint">As for <see cref="Listen(EndPoint)"/>.</param>
    /// <param name="cancellationToken">Cancelling ends the wait for the name's addresses, and nothing is listened on.</param>
    /// <inheritdoc cref="ListenAsync(int, string?, CancellationToken)" path="/*[not(self::summary) and not(self::param)]"/>
    public Task<EndPoint> ListenAsync(EndPoint endPoint, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        if (endPoint is DnsEndPoint name) return ListenAsync(name.Port, name.Host, cancellationToken);
        return cancellationToken.IsCancellationRequested
            ? Task.FromCanceled<EndPoint>(cancellationToken)
            : Task.FromResult(Listen(endPoint));
    }

    /// <summary>Listens on all addresses or on none: if one fails, the others are released.</summary>
    internal EndPoint[] ListenOnAll(EndPoint[] endPoints) => Open(listeners => BindAll(endPoints, listeners));

    private EndPoint[] Open(Func<List<Listener>, EndPoint[]> bind)
    {
        lock (_listeners)
        {
            ObjectDisposedException.ThrowIf(_isStopped, this);
            List<Listener> listeners = [];
            EndPoint[] bound;
            try
            {
                bound = bind(listeners);
                foreach (Listener listener in listeners) listener.Listen(Options.Backlog);
            }
            catch
            {
                foreach (Listener listener in listeners) listener.Abandon();
                throw;
            }

            _listeners.AddRange(listeners);
            foreach (Listener listener in listeners) listener.Start();
            foreach (EndPoint endPoint in bound) Log.Listening(_logger, endPoint);
            return bound;
        }
    }

    // In a container without IPv6 the hosts file may still list ::1 for localhost. An address given as a number is never skipped.
    private static bool MayBeLeftOut(EndPoint endPoint, SocketException error) => endPoint.AddressFamily == AddressFamily.InterNetworkV6
        && error.SocketErrorCode is SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported;

    /// <summary>The addresses that are known without a lookup; null for a name.</summary>
    private static IPAddress[]? FindAddresses(string? address)
    {
        if (string.IsNullOrEmpty(address)) return [Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any];
        TextCheck.NoNul(address, nameof(address));
        if (IPAddress.TryParse(address, out IPAddress? ip)) return [ip];
        // RFC 6761: localhost is not resolved.
        return address.Equals("localhost", StringComparison.OrdinalIgnoreCase) ? [IPAddress.Loopback, IPAddress.IPv6Loopback] : null;
    }

    // Otherwise, off the loop, this would continue on the thread of the lookup.
    private async Task<IPAddress[]> ResolveAsync(string name, int port, CancellationToken cancellationToken) =>
        await EndPointResolver.ResolveAsync(new DnsEndPoint(name, port), AddressFamily.Unspecified, _loops[0], cancellationToken)
            .ConfigureAwait(IOLoop.IsAnyCurrent ? ConfigureAwaitOptions.ContinueOnCapturedContext : ConfigureAwaitOptions.ForceYielding);

    private EndPoint ListenOn(IPAddress[] addresses, int port) =>
        ListenOnAll([.. addresses.Distinct().Select(address => new IPEndPoint(address, port))])[0];

    private EndPoint[] BindAll(EndPoint[] endPoints, List<Listener> listeners)
    {
        List<EndPoint> bound = [];
        SocketException? leftOut = null;
        foreach (EndPoint endPoint in endPoints)
        {
            try
            {
                bound.Add(Bind(endPoint, listeners));
            }
            catch (SocketException error) when (endPoints.Length > 1 && MayBeLeftOut(endPoint, error))
            {
                leftOut ??= error;
            }
        }

        return bound.Count > 0 ? [.. bound] : throw leftOut!;
    }

    /// <summary>Binds to an address, once per loop if every loop has its own listener.</summary>
    private EndPoint Bind(EndPoint endPoint, List<Listener> listeners)
    {
        bool isShared = Options.ReusePort && endPoint is IPEndPoint;
        // If any port would do, all addresses use the port of the first one.
        bool isAnyPort = endPoint is IPEndPoint { Port: 0 };
        if (isAnyPort && listeners is [{ EndPoint: IPEndPoint first }, ..])
            endPoint = new IPEndPoint(((IPEndPoint)endPoint).Address, first.Port);
        for (int i = 0; i < (isShared ? _loops.Length : 1); i++)
        {
            IOLoop loop = _loops[i];
            ObjectDisposedException.ThrowIf(loop.IsDisposed, loop);
            ListeningSocket socket = ListeningSocket.Bind(endPoint, isShared, Options.UnixFileMode, Configure);
            Listener listener = new(socket, loop, HasRoom, fd => Accept(fd, isShared ? loop : Next()));
            listeners.Add(listener);
            endPoint = listener.EndPoint;
        }

        return endPoint;
    }

    private void Configure(Descriptor fd)
    {
        SocketSettings.Apply(fd, _streamOptions);
        SocketSettings.Configure(fd, Options.ConfigureSocket);
    }
}
