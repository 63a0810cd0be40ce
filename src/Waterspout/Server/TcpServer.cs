using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Waterspout.Server;
using Waterspout.Tls;

namespace Waterspout;

/// <summary>Accepts connections, on TCP ports and Unix sockets, and runs a handler for each on a loop.</summary>
/// <remarks>
/// <para>The handler gets the stream on its loop. When its task completes, the stream, or the one that it was upgraded to, is closed in an
/// orderly way. An exception is logged and closes only its own stream. Streams are half-open (<see cref="IOStreamOptions.AllowHalfOpen"/>)
/// unless the options say otherwise: a client may send EOF after its last request, and still gets its answers; a handler that waits in a
/// read then ends. All members may be called from any thread.</para>
/// <para>The handler is a delegate, or <see cref="HandleStreamAsync"/> in a subclass. Difference from Tornado: loops in one process replace
/// forked processes.</para>
/// </remarks>
/// <example>
/// <code>
/// using IOLoopGroup loops = new(Environment.ProcessorCount);
/// await using TcpServer server = new(EchoAsync, new TcpServerOptions { Loops = loops });
/// Console.WriteLine($"listening on {server.Listen(8888)}");
/// </code>
/// </example>
public partial class TcpServer : IAsyncDisposable
{
    private readonly Func<IOStream, Task>? _handler;
    private readonly IOLoop[] _loops;
    private readonly List<Listener> _listeners = [];
    private readonly ILogger _logger;
    private readonly IOStreamOptions _streamOptions;
    private readonly ServerAuthentication? _tls;
    private int _next = -1;

    /// <summary>Creates a server that does not listen yet.</summary>
    /// <param name="handler">Called on a loop with each connection.</param>
    /// <param name="options">How the server works; null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    /// <exception cref="ArgumentException">Two options exclude each other.</exception>
    // Takes precedence over the overload below where both apply, as for a null.
    [OverloadResolutionPriority(1)]
    public TcpServer(Func<IOStream, Task> handler, TcpServerOptions? options = null)
        : this(options)
    {
        ArgumentNullException.ThrowIfNull(handler);
        _handler = handler;
    }

    /// <summary>Creates a server that does not listen yet, and whose handlers are notified of its stop.</summary>
    /// <param name="handler">
    /// Called on a loop with each connection, and with <see cref="Stopping"/>. A read with that token ends at the stop and loses no byte,
    /// so the handler can still send an answer or a goodbye; a write that the token cancels would close the stream. A handler that ends by
    /// the token has its stream closed in an orderly way, and nothing is logged.
    /// </param>
    /// <param name="options">How the server works; null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    /// <exception cref="ArgumentException">Two options exclude each other.</exception>
    public TcpServer(Func<IOStream, CancellationToken, Task> handler, TcpServerOptions? options = null)
        : this(options)
    {
        ArgumentNullException.ThrowIfNull(handler);
        _handler = stream => handler(stream, Stopping);
    }

    /// <summary>For subclasses, which override <see cref="HandleStreamAsync"/>.</summary>
    /// <param name="options">How the server works; null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    /// <exception cref="ArgumentException">Two options exclude each other.</exception>
    protected TcpServer(TcpServerOptions? options = null)
    {
        Options = options ?? new TcpServerOptions();
        Options.Validate(nameof(options));
        _streamOptions = (Options.Stream ?? IOStreamOptions.Default).HalfOpenByDefault();
        _tlsOptions = _streamOptions with { HandshakeTimeout = Options.HandshakeTimeout, MaxHandshakes = Options.MaxHandshakes };
        _tls = Options switch
        {
            { SelectSsl: { } select } => ServerAuthentication.Select(select),
            { Ssl: { } ssl } => ServerAuthentication.With(ssl),
            _ => null,
        };
        if (Options.Proxy is { } proxy) _proxyHeader = new ProxyHeaderParser(proxy.MaxHeaderSize).TryParse;
        _loops = Options.Loops is { } group ? [.. group] : [IOLoop.Current];
        _logger = _loops[0].Logger;
    }

    /// <summary>How the server works.</summary>
    public TcpServerOptions Options { get; }

    /// <summary>Handles a connection. Runs on its loop; when its task completes, the stream is closed in an orderly way.</summary>
    /// <remarks>
    /// Calls the delegate that was passed to the constructor; a subclass overrides this. An exception is logged and closes only this
    /// stream.
    /// </remarks>
    protected virtual Task HandleStreamAsync(IOStream stream) =>
        _handler?.Invoke(stream)
        ?? throw new InvalidOperationException($"{GetType().Name} has no handler: override {nameof(HandleStreamAsync)}.");

    private IOLoop Next() => _loops[(uint)Interlocked.Increment(ref _next) % (uint)_loops.Length];
}
