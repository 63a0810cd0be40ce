using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Waterspout.Connecting;
using Waterspout.Diagnostics;

namespace Waterspout;

/// <summary>Accepts connections, on TCP ports and Unix sockets, and runs a handler for each on a loop.</summary>
/// <remarks>
/// <para>The handler gets the stream on its loop. When its task ends the stream is closed in good order; when it throws, that is logged
/// and closes its own stream only. Streams are half-open (<see cref="IOStreamOptions.AllowHalfOpen"/>) unless the options say otherwise: a client
/// may end its side behind its last request, and gets its answers; a handler that waits in a read is ended by that. All members may be called from any thread.</para>
/// <para>The handler is a delegate, or <see cref="HandleStreamAsync"/> in a subclass. Difference from the reference: loops in one process take
/// the place of forked processes.</para>
/// </remarks>
public partial class TcpServer : IAsyncDisposable
{
    private readonly Func<IOStream, Task>? _handler;
    private readonly IOLoop[] _loops;
    private readonly List<Listener> _listeners = [];
    private readonly ILogger _logger;
    private readonly IOStreamOptions _streamOptions;
    private int _next = -1;

    /// <summary>Makes a server that does not listen yet.</summary>
    /// <param name="handler">Called on a loop with each connection.</param>
    /// <param name="options">How the server works; the defaults when null.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    // Before the form below where both fit, as for a null.
    [OverloadResolutionPriority(1)]
    public TcpServer(Func<IOStream, Task> handler, TcpServerOptions? options = null)
        : this(options)
    {
        ArgumentNullException.ThrowIfNull(handler);
        _handler = handler;
    }

    /// <summary>Makes a server that does not listen yet, and whose handlers are notified of its stop.</summary>
    /// <param name="handler">
    /// Called on a loop with each connection, and with <see cref="Stopping"/>. A read that is given that token ends with the stop, no byte is lost, and
    /// there is time to answer and to say goodbye; a write that it cancels would close the stream. A handler that the token ends has its stream closed
    /// in good order, and nothing is logged.
    /// </param>
    /// <param name="options">How the server works; the defaults when null.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public TcpServer(Func<IOStream, CancellationToken, Task> handler, TcpServerOptions? options = null)
        : this(options)
    {
        ArgumentNullException.ThrowIfNull(handler);
        _handler = stream => handler(stream, Stopping);
    }

    /// <summary>For subclasses, which override <see cref="HandleStreamAsync"/>.</summary>
    /// <param name="options">How the server works; the defaults when null.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    protected TcpServer(TcpServerOptions? options = null)
    {
        Options = options ?? new TcpServerOptions();
        Options.Validate(nameof(options));
        _streamOptions = (Options.Stream ?? IOStreamOptions.Default).HalfOpenByDefault();
        _tlsOptions = _streamOptions with { HandshakeTimeout = Options.HandshakeTimeout, MaxHandshakes = Options.MaxHandshakes };
        _loops = Options.Loops is { } group ? [.. group] : [IOLoop.Current];
        _logger = _loops[0].Logger;
    }

    /// <summary>How the server works.</summary>
    public TcpServerOptions Options { get; }

    /// <summary>Listens on a TCP port.</summary>
    /// <param name="port">Zero for any that is free.</param>
    /// <param name="address">An IP address, or a host name, whose addresses are all listened on; all addresses of the machine, IPv4 and IPv6, when null or empty.</param>
    /// <returns>The address that is listened on, with its port.</returns>
    /// <exception cref="SocketException">It cannot be listened on, or the name is unknown.</exception>
    /// <exception cref="ObjectDisposedException">The server has been stopped.</exception>
    public EndPoint Listen(int port, string? address = null)
    {
        if (string.IsNullOrEmpty(address))
            return Listen(new IPEndPoint(Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, port));
        if (IPAddress.TryParse(address, out IPAddress? ip)) return Listen(new IPEndPoint(ip, port));

        return ListenOnAll(Dns.GetHostAddresses(address).Distinct().Select(each => new IPEndPoint(each, port)))[0];
    }

    /// <summary>Listens on an IP address, or on the path of a Unix socket.</summary>
    /// <returns>The address that is listened on, with its port.</returns>
    /// <remarks>A dead socket that is left at the path is replaced. A file of any other kind is left alone, and an error.</remarks>
    /// <inheritdoc cref="Listen(int, string?)" path="/exception"/>
    public EndPoint Listen(EndPoint endPoint)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        return ListenOnAll([endPoint])[0];
    }

    /// <summary>Handles a connection. Runs on its loop; when it ends, the stream is closed in good order.</summary>
    /// <remarks>Calls the delegate that the server was made with; a subclass does something else.</remarks>
    protected virtual Task HandleStreamAsync(IOStream stream) =>
        _handler?.Invoke(stream) ?? throw new InvalidOperationException($"{GetType().Name} has no handler: override {nameof(HandleStreamAsync)}.");

    /// <summary>Listens on all of them, or on none: where one cannot be listened on, the others are given up again.</summary>
    internal EndPoint[] ListenOnAll(IEnumerable<EndPoint> endPoints)
    {
        lock (_listeners)
        {
            ObjectDisposedException.ThrowIf(_isStopped, this);
            List<Listener> listeners = [];
            EndPoint[] bound;
            try
            {
                bound = [.. endPoints.Select(endPoint => Bind(endPoint, listeners))];
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

    /// <summary>Binds to an address, once for each loop where every loop has a listener of its own.</summary>
    private EndPoint Bind(EndPoint endPoint, List<Listener> listeners)
    {
        bool isShared = Options.ReusePort && endPoint is IPEndPoint && _loops.Length > 1;
        // The port of the first, where any would do, is the port of all.
        if (endPoint is IPEndPoint { Port: 0 } ip && listeners is [{ EndPoint: IPEndPoint first }, ..]) endPoint = new IPEndPoint(ip.Address, first.Port);
        for (int i = 0; i < (isShared ? _loops.Length : 1); i++)
        {
            IOLoop loop = _loops[i];
            Listener listener = new(endPoint, isShared, loop, HasRoom, fd => Accept(fd, isShared ? loop : Next()));
            listeners.Add(listener);
            endPoint = listener.EndPoint;
        }

        return endPoint;
    }

    private IOLoop Next() => _loops[(uint)Interlocked.Increment(ref _next) % (uint)_loops.Length];
}
