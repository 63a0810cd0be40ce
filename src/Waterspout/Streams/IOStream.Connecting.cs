using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Waterspout.Connecting;
using Waterspout.Diagnostics;
using Waterspout.Interop;
using Waterspout.Loop;

namespace Waterspout;

public partial class IOStream
{
    private bool _isConnectCalled;
    private bool _isConnectRequested; // by the callback form, perhaps on another thread
    private TaskCompletionSource<PosixResult>? _attempt;
    private Waiters? _connectWaiters;

    private protected override bool WillConnect => _isConnectCalled;

    /// <summary>Connects the socket, and calls back when that is done.</summary>
    /// <param name="address">An IP address, a name (<see cref="DnsEndPoint"/>), or the path of a Unix socket.</param>
    /// <param name="callback">
    /// Runs on the loop, never inside this call. Does not run if connecting fails: see <see cref="BaseIOStream.SetCloseCallback"/>.
    /// </param>
    /// <param name="serverHostname">For TLS streams: the name that the certificate must have. Plain streams do not use it.</param>
    /// <remarks>Reads and writes may be started meanwhile. May be called from any thread.</remarks>
    /// <exception cref="InvalidOperationException">The stream is already connected or connecting.</exception>
    /// <exception cref="StreamClosedException">The stream is closed.</exception>
    public virtual void Connect(EndPoint address, Action? callback = null, string? serverHostname = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (RefuseConnect() is { } refusal) throw refusal;
        if (Interlocked.Exchange(ref _isConnectRequested, true)) throw ConnectedAlready();
        bool isBegun = Loop.TryInvoke((Stream: this, address, callback, serverHostname), static call =>
            call.Stream.DeliverConnect(call.Stream.ConnectAsync(call.address, call.serverHostname), call.callback));
        if (!isBegun) throw ClosedException();
    }

    /// <summary>Connects the socket.</summary>
    /// <param name="address">
    /// An IP address, a name (<see cref="DnsEndPoint"/>), or the path of a Unix socket. A name's addresses that the socket's family can
    /// reach are tried one after the other.
    /// </param>
    /// <param name="serverHostname">For TLS streams: the name that the certificate must have. Plain streams do not use it.</param>
    /// <param name="cancellationToken">Cancelling closes the stream.</param>
    /// <remarks>
    /// Completion: when the socket is connected. Reads and writes may be started meanwhile. If it fails the stream is closed, and
    /// <see cref="BaseIOStream.Error"/> is the cause. May be called from any thread.
    /// </remarks>
    /// <exception cref="InvalidOperationException">The stream is already connected or connecting.</exception>
    /// <exception cref="StreamClosedException">
    /// Connecting failed; the inner exception is the <see cref="SocketException"/>. Or the stream is closed.
    /// </exception>
    /// <exception cref="TimeoutException"><see cref="IOStreamOptions.ConnectTimeout"/> has expired. The stream is closed.</exception>
    /// <exception cref="OperationCanceledException">Connecting was cancelled. The stream is closed.</exception>
    public virtual ValueTask ConnectAsync(EndPoint address, string? serverHostname = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(address);
        return Loop.IsCurrent
            ? LimitConnectAsync(ConnectCoreAsync(address, cancellationToken), address)
            : OffLoop((Stream: this, address, serverHostname, cancellationToken),
                static call => call.Stream.ConnectAsync(call.address, call.serverHostname, call.cancellationToken));
    }

    /// <summary>
    /// Connects to a host by name, trying its addresses as in RFC 8305 ("Happy Eyeballs"). May be called from any thread.
    /// </summary>
    /// <param name="host">A name or an IP address.</param>
    /// <param name="port">From 1 to 65535.</param>
    /// <param name="options">
    /// Limits and settings of the stream, and of connecting: <see cref="IOStreamOptions.ConnectTimeout"/>,
    /// <see cref="IOStreamOptions.ConnectAttemptDelay"/>, <see cref="IOStreamOptions.LocalEndPoint"/>.
    /// </param>
    /// <param name="cancellationToken">Cancelling closes every attempt.</param>
    /// <returns>A connected stream on <see cref="IOLoop.Current"/>, with Nagle's algorithm off.</returns>
    /// <remarks>
    /// The addresses of both families are tried alternately, a new one whenever an attempt fails or has taken longer than the delay. The
    /// first that connects wins; the others are closed.
    /// </remarks>
    /// <exception cref="StreamClosedException">
    /// No address could be connected to: the inner exception is the <see cref="SocketException"/> of the one address, or an
    /// <see cref="AggregateException"/> of all of them; or the error of the name resolution.
    /// </exception>
    /// <exception cref="TimeoutException">The time limit expired.</exception>
    /// <exception cref="OperationCanceledException">Connecting was cancelled.</exception>
    public static ValueTask<IOStream> ConnectAsync(
        string host, int port, IOStreamOptions? options = null, CancellationToken cancellationToken = default)
    {
        CheckConnect(host, port, options);
        return HappyEyeballs.ConnectAsync(host, port, options ?? IOStreamOptions.Default, IOLoop.Current, cancellationToken);
    }

    private protected static void CheckConnect(string host, int port, IOStreamOptions? options)
    {
        ArgumentException.ThrowIfNullOrEmpty(host);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(port);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, IPEndPoint.MaxPort);
        options?.Validate(nameof(options));
    }

    private protected override void HandleConnect()
    {
        if (_attempt is null) return;
        // Do not query the error first: if a peer has already answered and reset, the socket has been connected, what the peer sent is
        // here, and the error comes after it.
        PosixResult received = Sockets.IsConnected(_fd) ? default : Sockets.Peek(_fd);
        // An event of the previous attempt has no error, and no connection either.
        if (received.WouldBlock || received.IsNotConnected) LookAgain();
        // Its awaiter resumes here, and has set the stream to connected when this returns.
        else _attempt.TrySetResult(received);
    }

    private protected override void OnClosed(Exception error)
    {
        if (_attempt is null && _connectWaiters is null) return;
        // Not here: this may be inside a user's call.
        Loop.TryPost((Stream: this, error), static call =>
        {
            call.Stream._attempt?.TrySetException(call.error);
            call.Stream.WakeConnectWaiters(call.Stream.ClosedException);
        });
    }

    /// <summary>Completes when the stream has connected, which over TLS includes the handshake; fails when it has closed.</summary>
    private protected Task WhenConnectedAsync(CancellationToken cancellationToken) =>
        (_connectWaiters ??= new Waiters(Loop)).WaitAsync(cancellationToken);

    private protected override async ValueTask FlushWhenConnectedAsync(CancellationToken cancellationToken)
    {
        if (IsConnecting) await WhenConnectedAsync(cancellationToken);
        await base.FlushWhenConnectedAsync(cancellationToken);
    }

    /// <summary>Closes the stream if connecting takes longer than the options allow.</summary>
    private protected ValueTask LimitConnectAsync(ValueTask connect, EndPoint address)
    {
        return Options.ConnectTimeout is { } timeout ? WithLimitAsync(timeout) : connect;

        async ValueTask WithLimitAsync(TimeSpan timeout)
        {
            TimeoutException? late = null;
            using IDisposable? limit = TimeLimit.Start(Loop, timeout, () =>
            {
                if (!IsConnecting) return;
                late = new TimeoutException($"No connection to {AddressError.Describe(address)} within {timeout}.");
                CloseNow(CloseReason.Timeout, late);
            });
            try
            {
                await connect;
            }
            catch (StreamClosedException) when (late is not null)
            {
                throw new TimeoutException(late.Message, late);
            }
        }
    }

    /// <summary>The error of a call that connects, on any thread; null if it is legal.</summary>
    internal virtual Exception? RefuseConnect()
    {
        if (IsClosed) return RefusedException();
        return !IsConnecting || Volatile.Read(ref _isConnectCalled) ? ConnectedAlready() : null;
    }

    private static InvalidOperationException ConnectedAlready() => new("The stream is already connected or connecting.");

    internal async ValueTask ConnectCoreAsync(EndPoint address, CancellationToken cancellationToken)
    {
        if (RefuseConnect() is { } refusal) throw refusal;
        cancellationToken.ThrowIfCancellationRequested();
        _isConnectCalled = true;
        using Activity? activity = Tracing.Source.StartActivity("connect");
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(CloseCancelled, this);
        try
        {
            await TryEachAsync(address is DnsEndPoint name
                ? await ResolveAsync(name, cancellationToken)
                : [EndPointResolver.ToFamily(address, _fd)]);
        }
        catch (Exception error) when (error is not StreamClosedException)
        {
            if (cancellationToken.IsCancellationRequested) error = new OperationCanceledException(cancellationToken);
            activity?.SetStatus(ActivityStatusCode.Error, error.Message);
            CloseNow(error is OperationCanceledException ? CloseReason.Local : CloseReason.Error, error);
            if (error is OperationCanceledException) throw error;
            throw ClosedException();
        }
        catch (StreamClosedException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }

        Log.Connected(Loop.Logger, this);
    }

    /// <summary>The addresses of the name. A close of the stream ends the wait for them, since a resolver cannot be stopped.</summary>
    private async Task<IReadOnlyList<EndPoint>> ResolveAsync(DnsEndPoint name, CancellationToken cancellationToken)
    {
        using CancellationTokenSource closed = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<IReadOnlyList<EndPoint>> resolving = EndPointResolver.ResolveAsync(name, _fd, Loop, closed.Token);
        _attempt = new TaskCompletionSource<PosixResult>();
        Task first = await Task.WhenAny(resolving, _attempt.Task);
        if (first != resolving) closed.Cancel();
        Task<PosixResult> attempt = _attempt.Task;
        _attempt = null;
        // Fails with the stream's close error.
        if (attempt.IsCompleted) await attempt;
        return await resolving;
    }

    private async Task TryEachAsync(IReadOnlyList<EndPoint> addresses)
    {
        for (int i = 0; ; i++)
        {
            PosixResult result = await TryOnceAsync(addresses[i], isFirst: i == 0);
            if (result.IsSuccess) break;
            // How the kernel treats an address of another family depends on its length.
            if (result.IsInvalid && !EndPointResolver.IsOfFamily(addresses[i], _fd)) result = PosixResult.WrongFamily;
            if (i == addresses.Count - 1) throw AddressError.Of(PosixResult.ToSocketException(result.Error), addresses[i]);
        }

        OnConnected();
    }

    /// <summary>There is a connection, and what had to wait for it continues.</summary>
    private protected void OnConnected()
    {
        MarkConnected();
        WakeConnectWaiters(null);
        QueueFlush();
    }

    private async Task<PosixResult> TryOnceAsync(EndPoint address, bool isFirst)
    {
        for (bool isRetry = false; ; isRetry = true)
        {
            if (IsClosed) throw ClosedException();
            // The mode is shared with every duplicate of the descriptor, and a connect has no flag for it.
            FileDescriptors.SetNonBlocking(_fd);
            PosixResult result = Sockets.Connect(_fd, address.Serialize());
            if (result.IsSuccess || result.IsInProgress)
            {
                // Only now: an unconnected socket reports a hang-up.
                EnsureRegistered();
                if (IsClosed) throw ClosedException();
                if (!isFirst) LookAgain();
                if (result.IsSuccess) return result;
                _attempt = new TaskCompletionSource<PosixResult>();
                result = await _attempt.Task;
                _attempt = null;
                return result;
            }

            // Left over from the previous attempt, whose error has been consumed: the kernel reports it once, without trying to connect.
            if (result.IsAborted && !isRetry) continue;
            // A Unix socket with a full backlog. There is no event for that, and it is over soon.
            if (!result.WouldBlock) return result;
            TaskCompletionSource pause = new();
            using (Loop.CallLater(TimeSpan.FromMilliseconds(5), pause.SetResult)) await pause.Task;
        }
    }

    private static void CloseCancelled(object? state, CancellationToken cancellationToken)
    {
        IOStream stream = (IOStream)state!;
        stream.Loop.TryInvoke((stream, cancellationToken), static call =>
        {
            // Once the stream is connected, a late cancellation changes nothing.
            if (call.stream.IsConnecting)
                call.stream.CloseNow(CloseReason.Local, new OperationCanceledException(call.cancellationToken));
        });
    }

    private void WakeConnectWaiters(Func<Exception>? error)
    {
        Waiters? waiters = _connectWaiters;
        _connectWaiters = null;
        waiters?.Release(error);
    }

    private async void DeliverConnect(ValueTask connect, Action? callback)
    {
        try
        {
            await connect;
            if (callback is not null) RunCallbackLater(callback);
        }
        catch (Exception error) when (error is StreamClosedException or TimeoutException)
        {
            // Reported by the close callback.
        }
    }
}
