using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Waterspout.Connecting;
using Waterspout.Diagnostics;
using Waterspout.Interop;
using Waterspout.Loop;
using Waterspout.Tls;

namespace Waterspout;

/// <summary>Accepts connections, on TCP ports and Unix sockets, and runs a handler for each on a loop.</summary>
/// <remarks>
/// <para>The handler gets the stream on its loop. When its task ends the stream is closed in good order; when it throws, that is logged
/// and closes its own stream only. All members may be called from any thread.</para>
/// <para>The handler is a delegate, or <see cref="HandleStreamAsync"/> in a subclass. Difference from the reference: loops in one process take
/// the place of forked processes.</para>
/// </remarks>
public class TcpServer : IAsyncDisposable
{
    private readonly Func<IOStream, Task>? _handler;
    private readonly IOLoop[] _loops;
    private readonly List<Listener> _listeners = [];
    private readonly Dictionary<IOStream, Task> _connections = [];
    private readonly ILogger _logger;
    private int _next = -1;
    private int _accepted; // connections that are open, or on their way to their loop
    private volatile bool _isStopped;

    /// <summary>Makes a server that does not listen yet.</summary>
    /// <param name="handler">Called on a loop with each connection.</param>
    /// <param name="options">How the server works; the defaults when null.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public TcpServer(Func<IOStream, Task> handler, TcpServerOptions? options = null)
        : this(options)
    {
        ArgumentNullException.ThrowIfNull(handler);
        _handler = handler;
    }

    /// <summary>For subclasses, which override <see cref="HandleStreamAsync"/>.</summary>
    /// <param name="options">How the server works; the defaults when null.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    protected TcpServer(TcpServerOptions? options = null)
    {
        Options = options ?? new TcpServerOptions();
        Options.Validate(nameof(options));
        _loops = Options.Loops is { } group ? [.. group] : [IOLoop.Current];
        _logger = _loops[0].Logger;
    }

    /// <summary>How the server works.</summary>
    public TcpServerOptions Options { get; }

    /// <summary>The number of connections that are open.</summary>
    public int ConnectionCount
    {
        get
        {
            lock (_connections) return _connections.Count;
        }
    }

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

        // The port of the first, where any would do, is the port of all.
        EndPoint? first = null;
        foreach (IPAddress each in Dns.GetHostAddresses(address).Distinct())
        {
            EndPoint bound = Listen(new IPEndPoint(each, (first as IPEndPoint)?.Port ?? port));
            first ??= bound;
        }

        return first!;
    }

    /// <summary>Listens on an IP address, or on the path of a Unix socket. A dead socket that is left at the path is replaced.</summary>
    /// <returns>The address that is listened on, with its port.</returns>
    /// <inheritdoc cref="Listen(int, string?)" path="/exception"/>
    public EndPoint Listen(EndPoint endPoint)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        lock (_listeners)
        {
            ObjectDisposedException.ThrowIf(_isStopped, this);
            bool isShared = Options.ReusePort && endPoint is IPEndPoint && _loops.Length > 1;
            Listener first = AddListener(endPoint, _loops[0], isShared);
            for (int i = 1; isShared && i < _loops.Length; i++) AddListener(first.EndPoint, _loops[i], isShared);
            Log.Listening(_logger, first.EndPoint);
            return first.EndPoint;
        }
    }

    /// <summary>Stops accepting, lets the handlers end, then closes the connections that are left.</summary>
    /// <param name="drain">How long the handlers may take.</param>
    /// <returns>A task that ends when every connection is closed and every handler has ended.</returns>
    public async Task StopAsync(TimeSpan drain)
    {
        List<Listener> listeners;
        lock (_listeners)
        {
            _isStopped = true;
            listeners = [.. _listeners];
            _listeners.Clear();
        }

        foreach (Listener listener in listeners) await listener.StopAsync().ConfigureAwait(false);
        Task all = Task.WhenAll(Snapshot().Select(connection => connection.Value));
        try
        {
            await all.WaitAsync(drain).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            foreach ((IOStream stream, _) in Snapshot()) stream.Close();
            await all.ConfigureAwait(false);
        }
    }

    /// <summary>Stops at once: see <see cref="StopAsync"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.Zero).ConfigureAwait(false);
        GC.SuppressFinalize(this);
    }

    /// <summary>Handles a connection. Runs on its loop; when it ends, the stream is closed in good order.</summary>
    /// <remarks>Calls the delegate that the server was made with; a subclass does something else.</remarks>
    protected virtual Task HandleStreamAsync(IOStream stream) =>
        _handler?.Invoke(stream) ?? throw new InvalidOperationException($"{GetType().Name} has no handler: override {nameof(HandleStreamAsync)}.");

    private Listener AddListener(EndPoint endPoint, IOLoop loop, bool isShared)
    {
        Listener listener = new(endPoint, Options.Backlog, isShared, loop, HasRoom, fd => Accept(fd, isShared ? loop : Next()));
        _listeners.Add(listener);
        return listener;
    }

    private IOLoop Next() => _loops[(uint)Interlocked.Increment(ref _next) % (uint)_loops.Length];

    private bool HasRoom() => Volatile.Read(ref _accepted) < (Options.MaxConnections ?? int.MaxValue);

    private void Accept(int fd, IOLoop loop)
    {
        Interlocked.Increment(ref _accepted);
        if (loop.IsCurrent) Begin(fd, loop);
        else if (!loop.TryPost(new LoopCallback(_ => Begin(fd, loop), null))) FileDescriptors.Close(fd);
    }

    private void Begin(int fd, IOLoop loop)
    {
        loop.Counters.Accepted++;
        IOStream stream;
        try
        {
            stream = FileDescriptors.HandOver(fd, fd => MakeStream(fd, loop));
        }
        catch
        {
            Interlocked.Decrement(ref _accepted);
            throw; // to the loop, which logs it
        }

        lock (_connections) _connections.Add(stream, Task.CompletedTask);
        Task running = RunAsync(stream);
        lock (_connections)
            if (_connections.ContainsKey(stream)) _connections[stream] = running; // it may have ended already
    }

    private IOStream MakeStream(int fd, IOLoop loop) => Options.Ssl is { } ssl
        ? new SslIOStream(null, ssl, new TlsTransport(fd, isConnected: true, Options.Stream ?? IOStreamOptions.Default, loop), Options.Stream)
        : IOStream.FromAccepted(fd, Options.Stream, loop);

    private async Task RunAsync(IOStream stream)
    {
        try
        {
            if (stream is not SslIOStream tls || await tls.TryHandshakeAsync(Options.HandshakeTimeout)) await HandleStreamAsync(stream);
        }
        catch (StreamClosedException)
        {
            // The usual end of a handler whose peer has gone.
        }
        catch (Exception error)
        {
            Log.HandlerFailed(_logger, error, stream);
            stream.Close(error);
        }
        finally
        {
            await stream.CloseAsync();
            End(stream);
        }
    }

    private void End(IOStream stream)
    {
        lock (_connections) _connections.Remove(stream);
        Interlocked.Decrement(ref _accepted);
        if (Options.MaxConnections is null || _isStopped) return;
        lock (_listeners)
            foreach (Listener listener in _listeners) listener.Resume();
    }

    private List<KeyValuePair<IOStream, Task>> Snapshot()
    {
        lock (_connections) return [.. _connections];
    }
}
