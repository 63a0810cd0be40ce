using Waterspout.Connecting;

namespace Waterspout;

// What a derived class that has a handshake with its peer needs, and the wait for the connection that comes of it.
public partial class IOStream
{
    private Waiters? _connectWaiters;

    /// <summary>Whether a connection is of use only after a handshake with the peer. The default is false.</summary>
    /// <remarks>
    /// Always the same value, since constructors read it. If true, the constructor of the class ends with <see cref="StartIfConnected"/>,
    /// and <see cref="BeginHandshake"/> is overridden. Until the handshake is done, reads and writes wait, the hooks are not called, and
    /// what the poller reports goes to <see cref="BaseIOStream.OnEvents"/>: the class calls its base class's hooks by itself.
    /// </remarks>
    protected virtual bool HasHandshake => false;

    private protected override bool WillConnect => _phase >= SocketPhase.Connecting;

    /// <summary>Begins the handshake. Called once, on the loop, when the socket is connected.</summary>
    /// <param name="serverHostname">The name given to <see cref="ConnectAsync(System.Net.EndPoint, string?, CancellationToken)"/>, or known from its address.</param>
    /// <remarks>
    /// Does not wait. The handshake ends by <see cref="CompleteConnecting"/> or by <see cref="BaseIOStream.CloseFor"/>.
    /// Its time limit is the class's own.
    /// </remarks>
    protected virtual void BeginHandshake(string? serverHostname) => CompleteConnecting();

    /// <summary>Begins the handshake of a socket that is connected already. To be called at the end of a constructor.</summary>
    /// <remarks>May be called from any thread: the handshake begins on the loop.</remarks>
    protected void StartIfConnected()
    {
        if (IsSocketConnected) Loop.TryInvoke(this, static stream => stream.StartHandshake(serverHostname: null));
    }

    /// <summary>To be called when the handshake is done: the stream is connected, and what had to wait for that continues.</summary>
    /// <remarks>
    /// On the loop, once, and not on a closed stream. Where events may have been reported before, and data be here, call
    /// <see cref="BaseIOStream.NotifyReady"/> after this.
    /// </remarks>
    protected void CompleteConnecting()
    {
        MarkConnected();
        WakeConnectWaiters(null);
        QueueFlush();
    }

    /// <summary>Waits until the stream is connected, which includes a handshake.</summary>
    /// <param name="cancellationToken">Cancelling ends the wait only.</param>
    /// <remarks>Completion: at once if it is connected. May be called from any thread.</remarks>
    /// <exception cref="StreamClosedException">The stream is closed, or closes first.</exception>
    protected ValueTask WaitForConnectionAsync(CancellationToken cancellationToken)
    {
        if (!Loop.IsCurrent)
            return OffLoop((Stream: this, cancellationToken), static call => call.Stream.WaitForConnectionAsync(call.cancellationToken));
        if (IsClosed) return ValueTask.FromException(ClosedException());
        return IsConnecting ? new ValueTask(WhenConnectedAsync(cancellationToken)) : default;
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

    private protected override async ValueTask FlushWhenConnectedAsync(CancellationToken cancellationToken)
    {
        if (IsConnecting) await WhenConnectedAsync(cancellationToken);
        await base.FlushWhenConnectedAsync(cancellationToken);
    }

    private Task WhenConnectedAsync(CancellationToken cancellationToken) =>
        (_connectWaiters ??= new Waiters(Loop)).WaitAsync(cancellationToken);

    private void StartHandshake(string? serverHostname)
    {
        if (IsClosed) return;
        EnsureRegistered();
        if (!IsClosed) BeginHandshake(serverHostname);
    }

    private void WakeConnectWaiters(Func<Exception>? error)
    {
        Waiters? waiters = _connectWaiters;
        _connectWaiters = null;
        waiters?.Release(error);
    }
}
