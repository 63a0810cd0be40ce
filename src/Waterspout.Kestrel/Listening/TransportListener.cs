using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Waterspout.Duplex;
using Waterspout.Interop;
using Waterspout.Kestrel.Connections;
using Waterspout.Kestrel.Loops;
using Waterspout.Loop;

namespace Waterspout.Kestrel.Listening;

/// <summary>A listening socket, from which Kestrel takes one connection after the other.</summary>
/// <remarks>
/// An exception from <see cref="AcceptAsync"/> would end accepting for good, so it never throws for what a client or a lack of descriptors
/// can cause. The connections outlive <see cref="UnbindAsync"/>; the loops are released by <see cref="DisposeAsync"/>.
/// </remarks>
internal sealed partial class TransportListener : IConnectionListener, IReadinessHandler
{
    // When no descriptor is free, the connection waits, and an immediate retry would spin.
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    private readonly Socket _socket;
    private readonly TransportLoops _loops;
    private readonly TransportLoop _watcher;
    private readonly MemoryPool<byte> _pool;
    private readonly IOStreamOptions _options;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly Descriptor _fd;
    private TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Registration _registration;
    private bool _isUnbound;
    private int _isDisposed;

    internal TransportListener(Socket socket, TransportLoops loops, MemoryPool<byte> pool, WaterspoutTransportOptions options, ILogger logger)
    {
        _socket = socket;
        _fd = Descriptor.Of(socket.SafeHandle);
        _loops = loops;
        _pool = pool;
        _options = options.ToStreamOptions();
        _logger = logger;
        EndPoint = socket.LocalEndPoint!;
        loops.Acquire();
        _watcher = loops.Next();
        _watcher.TryPost(this, static listener => listener.Watch());
    }

    public EndPoint EndPoint { get; }

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            Task ready;
            PosixResult result;
            lock (_lock)
            {
                if (_isUnbound) return null;
                // Before the call: what arrives after it completes this one.
                if (_ready.Task.IsCompleted) _ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                ready = _ready.Task;
                result = Sockets.Accept(_fd);
            }

            if (result.IsSuccess) return Begin(result.Descriptor);
            if (result.WouldBlock)
            {
                Rearm();
                await ready.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            else if (!AcceptErrors.IsOfOneConnection(result.Error))
            {
                AcceptPaused(EndPoint, result.Error.ToString());
                await Task.WhenAny(ready, Task.Delay(s_pause, cancellationToken)).ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            if (_isUnbound) return default;
            _isUnbound = true;
        }

        _ready.TrySetResult();
        TaskCompletionSource closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!_watcher.TryPost((this, closed), static call => call.Item1.Close(call.closed))) Close(closed);
        return new ValueTask(closed.Task);
    }

    public async ValueTask DisposeAsync()
    {
        await UnbindAsync().ConfigureAwait(false);
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0) return;
        await _loops.ReleaseAsync().ConfigureAwait(false);
        _pool.Dispose();
    }

    void IReadinessHandler.HandleEvents(IOEvents events)
    {
        lock (_lock) _ready.TrySetResult();
    }

    void IReadinessHandler.EndWithLoop()
    {
    }

    private TransportConnection Begin(Descriptor fd)
    {
        SocketConnection connection = new(_loops.Next(), new SocketDescriptor(fd, _options));
        TransportConnection context = new(connection, fd, _pool);
        connection.Loop.TryPost(connection, static connection => connection.Start(mayBeReadable: true));
        return context;
    }

    private void Watch()
    {
        if (!_isUnbound) _registration = ((IConnectionLoop)_watcher).Watch(_fd, this);
    }

    private void Rearm()
    {
        if (!_registration.IsNone) ((IConnectionLoop)_watcher).RearmAnywhere(_registration, IOEvents.Read, DescriptorTraits.Exact);
    }

    private void Close(TaskCompletionSource closed)
    {
        if (!_registration.IsNone) ((IConnectionLoop)_watcher).Unregister(_registration);
        _registration = default;
        _socket.Dispose();
        closed.SetResult();
    }

    [LoggerMessage(1, LogLevel.Warning, "No connection can be accepted on {EndPoint} at present: {Error}.")]
    private partial void AcceptPaused(EndPoint endPoint, string error);
}
