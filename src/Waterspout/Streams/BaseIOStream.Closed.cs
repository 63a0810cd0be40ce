namespace Waterspout;

// What is notified of the close: the token, and the callback.
public abstract partial class BaseIOStream
{
    private Action? _closeCallback;
    private CancellationTokenSource? _closedSource;
    private volatile bool _isClosedSignalled;

    /// <summary>Cancelled when the stream closes, or when the peer's EOF is known, even while data before it is unread.</summary>
    /// <remarks>
    /// With <see cref="IOStreamOptions.AllowHalfOpen"/> the peer's EOF alone does not count. Callbacks registered with the token run on the
    /// loop. May be read from any thread. Tornado has no equivalent.
    /// </remarks>
    public CancellationToken Closed
    {
        get
        {
            if (_isClosedSignalled) return new CancellationToken(canceled: true);
            if (_closedSource is null && Interlocked.CompareExchange(ref _closedSource, new CancellationTokenSource(), null) is null)
                Loop.TryInvoke(this, static stream => stream.AwaitClose());
            // EOF may have been signalled between the two checks.
            if (_isClosedSignalled) CancelClosedLater();
            return _closedSource.Token;
        }
    }

    /// <summary>Sets the callback that runs on the loop when the stream has closed. May be called from any thread.</summary>
    /// <param name="callback">Null for none. It replaces an earlier one.</param>
    /// <remarks>
    /// Runs once, after the callbacks for data that had arrived, even if no read is pending; but not while there is unread data before EOF.
    /// If the stream is already closed it still runs. If it throws, that is logged.
    /// </remarks>
    public void SetCloseCallback(Action? callback)
    {
        // If the loop has ended, so has the stream.
        if (!Loop.TryInvoke((Stream: this, callback), static call => call.Stream.StoreCloseCallback(call.callback)))
            StoreCloseCallback(callback);
    }

    /// <summary>Moves the close callback and the Closed token to another stream.</summary>
    private protected void MoveListeners(BaseIOStream other)
    {
        (other._closeCallback, _closeCallback) = (_closeCallback, null);
        (other._closedSource, _closedSource) = (_closedSource, other._closedSource);
        if (!other._state.IsClosed) return;
        other.RunCloseCallbackLater();
        if (other._closedSource is not null) other.CancelClosedLater();
    }

    /// <summary>Cancels the Closed token and, if there is no reason yet, sets the reason.</summary>
    private void SignalClosed()
    {
        if (_isClosedSignalled) return;
        if (_expectedReason == CloseReason.None) _expectedReason = IsEofInData ? CloseReason.None : CloseReason.EndOfStream;
        _isClosedSignalled = true;
        if (Volatile.Read(ref _closedSource) is not null) CancelClosedLater();
    }

    private void CancelClosedLater() =>
        Loop.PostOrPool(_closedSource!, static source => source.Cancel());

    private void StoreCloseCallback(Action? callback)
    {
        _closeCallback = callback;
        // The connection that has taken over the descriptor reports the close.
        if (_isTakenOver) return;
        if (_state.IsClosed) RunCloseCallbackLater();
        else AwaitClose();
    }

    private void AwaitClose()
    {
        UpdateRoot();
        if (!_state.IsClosed) OnCloseAwaited();
    }

    private void RunCloseCallbackLater()
    {
        if (Interlocked.Exchange(ref _closeCallback, null) is { } callback) RunCallbackLater(callback);
    }
}
