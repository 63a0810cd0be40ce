using System.Net;
using System.Net.Sockets;
using Waterspout.Connecting;
using Waterspout.Interop;
using Waterspout.Server;

namespace Waterspout;

/// <summary>
/// Accepts one connection at a time, when it is called to: for a protocol in which the other side connects back, or for tests. For a server
/// see <see cref="TcpServer"/>.
/// </summary>
/// <remarks>
/// While no <see cref="AcceptAsync"/> is pending, nothing is accepted: connections wait in the system's backlog. The streams belong to the
/// caller, also after the listener is disposed. All members may be called from any thread.
/// </remarks>
public sealed class StreamListener : IDisposable, IAsyncDisposable
{
    private readonly IOStreamOptions _options;
    private readonly IOLoop _loop;
    private readonly Listener _listener;
    private readonly LinkedList<TaskCompletionSource<IOStream>> _waiting = []; // used on the loop
    private volatile bool _isStopped;

    /// <summary>Listens on an address.</summary>
    /// <param name="endPoint">An IP address, with port zero for any free one, or the path or abstract name of a Unix socket.</param>
    /// <param name="options">Limits and settings of the streams; null for the defaults.</param>
    /// <param name="loop">The loop of the listener and of the streams; <see cref="IOLoop.Current"/> when null.</param>
    /// <param name="backlog">How many connections the system may hold that have not been accepted yet.</param>
    /// <exception cref="SocketException">Listening failed. The message contains the address.</exception>
    /// <exception cref="ArgumentException">It is another kind of address: a name has to be resolved first.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The backlog, or one of the options, is out of range.</exception>
    public StreamListener(EndPoint endPoint, IOStreamOptions? options = null, IOLoop? loop = null, int backlog = 1024)
        : this(options, loop)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(backlog);
        _listener = Open(ListeningSocket.Bind(endPoint, isShared: false, mode: null, Apply), backlog);
    }

    /// <summary>Listens on a socket that was bound elsewhere: see <see cref="TcpServer.Listen(Socket)"/>.</summary>
    /// <param name="listening">The socket. The listener owns it from now on, unless this fails.</param>
    /// <param name="options">Limits and settings of the streams; null for the defaults.</param>
    /// <param name="loop">The loop of the listener and of the streams; <see cref="IOLoop.Current"/> when null.</param>
    /// <inheritdoc cref="TcpServer.Listen(Socket)" path="/exception"/>
    public StreamListener(Socket listening, IOStreamOptions? options = null, IOLoop? loop = null)
        : this(options, loop)
    {
        ArgumentNullException.ThrowIfNull(listening);
        _listener = Open(ListeningSocket.Adopt(listening, Apply), new TcpServerOptions().Backlog);
    }

    private StreamListener(IOStreamOptions? options, IOLoop? loop)
    {
        options?.Validate(nameof(options));
        _options = options ?? IOStreamOptions.Default;
        _loop = loop ?? IOLoop.Current;
        _listener = null!; // set by the public constructors
        ObjectDisposedException.ThrowIf(_loop.IsDisposed, _loop);
    }

    /// <summary>The address listened on.</summary>
    public EndPoint LocalEndPoint => _listener.EndPoint;

    /// <summary>Accepts the next connection.</summary>
    /// <param name="cancellationToken">Cancelling ends the wait. No connection is lost: the next one stays in the backlog.</param>
    /// <returns>The stream, on the listener's loop.</returns>
    /// <remarks>Completion: when there is a connection. Any number may wait; they are served in their order.</remarks>
    /// <exception cref="ObjectDisposedException">The listener, or its loop, is disposed, also while waiting.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public ValueTask<IOStream> AcceptAsync(CancellationToken cancellationToken = default) => _loop.IsCurrent
        ? AcceptCoreAsync(cancellationToken)
        : new ValueTask<IOStream>(_loop.InvokeAsync(() => AcceptCoreAsync(cancellationToken).AsTask()));

    /// <summary>Stops listening. Waiting accepts fail; accepted streams stay open. The address is free soon after.</summary>
    public void Dispose() => _ = _listener.StopAsync();

    /// <summary>Stops listening, as <see cref="Dispose"/>. Completes when the address is free.</summary>
    public ValueTask DisposeAsync() => new(_listener.StopAsync());

    private Listener Open(ListeningSocket socket, int backlog)
    {
        Listener listener = new(socket, _loop, () => _waiting.Count > 0, Accept) { Stopped = OnStopped };
        try
        {
            listener.Listen(backlog);
        }
        catch
        {
            listener.Abandon();
            throw;
        }

        listener.Start();
        return listener;
    }

    // Accepted sockets inherit it.
    private void Apply(Descriptor fd) => SocketSettings.Apply(fd, _options);

    private async ValueTask<IOStream> AcceptCoreAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(_isStopped, this);
        TaskCompletionSource<IOStream> waiter = new();
        LinkedListNode<TaskCompletionSource<IOStream>> node = _waiting.AddLast(waiter);
        _listener.Resume();
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            (_, token) => _loop.TryPost((node, token), static call => GiveUp(call.node, call.token)), null);
        return await waiter.Task;
    }

    private static void GiveUp(LinkedListNode<TaskCompletionSource<IOStream>> node, CancellationToken token)
    {
        if (node.List is not { } waiting) return;
        waiting.Remove(node);
        node.Value.SetCanceled(token);
    }

    private void Accept(Descriptor fd)
    {
        TaskCompletionSource<IOStream> waiter = _waiting.First!.Value;
        _waiting.RemoveFirst();
        IOStream stream;
        try
        {
            stream = FileDescriptors.HandOver(fd, fd =>
            {
                SocketSettings.Configure(fd, _options.ConfigureSocket);
                return IOStream.FromAccepted(fd, _options, _loop);
            });
        }
        catch (Exception error)
        {
            waiter.SetException(error);
            return;
        }

        _loop.Counters.Accepted++;

        waiter.SetResult(stream);
    }

    private void OnStopped()
    {
        _isStopped = true;
        // Not here: this may be inside a user's call. Accepts that are waiting when the loop ends fail with it.
        if (_waiting.Count > 0 && !_loop.TryPost(this, static listener => listener.FailWaiting())) FailWaiting();
    }

    private void FailWaiting()
    {
        while (_waiting.First is { Value: var waiter })
        {
            _waiting.RemoveFirst();
            waiter.SetException(new ObjectDisposedException(nameof(StreamListener)));
        }
    }
}
