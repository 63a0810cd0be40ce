using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Waterspout.Connecting;
using Waterspout.Diagnostics;
using Waterspout.Loop;

namespace Waterspout;

public partial class IOStream
{
    private volatile SocketPhase _phase;

    /// <summary>Where the socket is on its way to a connection. A handshake comes after that.</summary>
    private enum SocketPhase : byte
    {
        Unconnected,

        /// <summary>The callback form has been called, perhaps on another thread.</summary>
        Requested,
        Connecting,
        Connected,
    }

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
        if (Interlocked.CompareExchange(ref _phase, SocketPhase.Requested, SocketPhase.Unconnected) != SocketPhase.Unconnected) throw ConnectedAlready();
        bool isBegun = Loop.TryInvoke((Stream: this, address, callback, serverHostname), static call =>
            call.Stream.DeliverConnect(call.Stream.ConnectAsync(call.address, call.serverHostname), call.callback));
        if (!isBegun) throw ClosedException();
    }

    /// <summary>Connects the socket.</summary>
    /// <param name="address">
    /// An IP address, a name (<see cref="DnsEndPoint"/>), or the path of a Unix socket. A name's addresses that the socket's family can
    /// reach are tried one after the other.
    /// </param>
    /// <param name="serverHostname">
    /// For TLS streams: the name that is sent to the server, and must be in its certificate. When null it is taken from a
    /// <see cref="DnsEndPoint"/>. A target host in the options takes precedence over both. Plain streams do not use it.
    /// </param>
    /// <param name="cancellationToken">Cancelling closes the stream.</param>
    /// <remarks>
    /// Completion: when the socket is connected and, over TLS, the handshake is done. Reads and writes may be started meanwhile. If it fails the stream is closed, and
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
            ? LimitConnectAsync(ConnectCoreAsync(address, serverHostname, cancellationToken), address)
            : OffLoop((Stream: this, address, serverHostname, cancellationToken, Tracing.Ambient), static call =>
            {
                Tracing.Continue(call.Ambient);
                return call.Stream.ConnectAsync(call.address, call.serverHostname, call.cancellationToken);
            });
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
    /// <example>
    /// <code>
    /// await using IOStream server = await IOStream.ConnectAsync(host, port, new IOStreamOptions { AllowHalfOpen = true });
    /// </code>
    /// </example>
    /// <exception cref="StreamClosedException">
    /// No address could be connected to: the inner exception is the <see cref="SocketException"/> of the one address, or an
    /// <see cref="AggregateException"/> of all of them; or the error of the name resolution.
    /// </exception>
    /// <exception cref="TimeoutException">The time limit expired.</exception>
    /// <exception cref="OperationCanceledException">Connecting was cancelled.</exception>
    public static ValueTask<IOStream> ConnectAsync(
        string host, int port, IOStreamOptions? options = null, CancellationToken cancellationToken = default)
    {
        HappyEyeballs.CheckArguments(host, port, options);
        options ??= IOStreamOptions.Default;
        return HappyEyeballs.ConnectAsync(host, port, options, IOLoop.Current, options.ConnectTimeout, cancellationToken);
    }

    /// <summary>Closes the stream if connecting takes longer than the options allow.</summary>
    private ValueTask LimitConnectAsync(ValueTask connect, EndPoint address)
    {
        return Options.ConnectTimeout is { } timeout ? WithLimitAsync(timeout) : connect;

        async ValueTask WithLimitAsync(TimeSpan timeout)
        {
            TimeoutException? late = null;
            using IDisposable? limit = TimeLimit.Start(Loop, timeout, () =>
            {
                if (!IsConnecting) return;
                Loop.Counters.Timeouts[(int)TimedOperation.Connect]++;
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
    private Exception? RefuseConnect()
    {
        if (IsClosed) return RefusedException();
        return !IsConnecting || _phase >= SocketPhase.Connecting ? ConnectedAlready() : null;
    }

    private static InvalidOperationException ConnectedAlready() => new("The stream is already connected or connecting.");

    internal async ValueTask ConnectCoreAsync(EndPoint address, string? serverHostname, CancellationToken cancellationToken)
    {
        if (RefuseConnect() is { } refusal) throw refusal;
        cancellationToken.ThrowIfCancellationRequested();
        _phase = SocketPhase.Connecting;
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(CloseCancelled, this);
        try
        {
            await OpenAsync(address, cancellationToken);
            if (!HasHandshake) return;
            StartHandshake(serverHostname ?? (address as DnsEndPoint)?.Host);
            await WaitForConnectionAsync(CancellationToken.None);
        }
        catch (StreamClosedException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
    }

    /// <summary>Connects the socket. If that fails, the stream closes.</summary>
    private async Task OpenAsync(EndPoint address, CancellationToken cancellationToken)
    {
        using Activity? activity = Tracing.Connect(address);
        try
        {
            if (address is DnsEndPoint name) await TryEachAsync(await ResolveAsync(name, cancellationToken), isOneOfMany: true);
            else await TryEachAsync([EndPointResolver.ToFamily(address, _fd)], isOneOfMany: false);
        }
        catch (StreamClosedException closed)
        {
            activity?.Fail(ErrorTypes.Of(closed.InnerException ?? closed), closed.Message);
            throw;
        }
        catch (Exception error)
        {
            if (cancellationToken.IsCancellationRequested) error = new OperationCanceledException(cancellationToken);
            activity?.Fail(error);
            CloseNow(error is OperationCanceledException ? CloseReason.Local : CloseReason.Error, error);
            if (error is OperationCanceledException) throw error;
            throw ClosedException();
        }

        Log.Connected(Loop.Logger, this);
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
