using Waterspout.Errors;
using Waterspout.Loop;
using Waterspout.Reads;

namespace Waterspout;

public abstract partial class BaseIOStream
{
    // Long enough for a slow peer to receive a full buffer, short enough that a peer that never closes does not keep a descriptor.
    private static readonly TimeSpan s_defaultCloseTimeout = TimeSpan.FromSeconds(10);

    private Action? _closeCallback;
    private CancellationTokenSource? _closedSource;
    private Task? _closing;
    private volatile bool _isClosedSignalled;

    // The reason while there is no outcome yet. Stored, since it does not follow from the state: an orderly close that was begun here, and
    // one that the peer's EOF has begun, are in the same state once EOF has been received.
    private volatile CloseReason _expectedReason;

    private volatile CloseOutcome? _outcome;

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

    /// <summary>Another stream has taken over the descriptor and the received data.</summary>
    private protected bool IsMoved => _state.IsMoved;

    /// <summary>Closes the stream now. May be called from any thread.</summary>
    /// <param name="error">Becomes <see cref="Error"/>, and the inner exception of failed operations.</param>
    /// <remarks>
    /// <para>Without an error, written data is first handed to the system as far as it accepts it at once, as in Tornado, whose writes do
    /// that. What it does not accept is dropped, and its size logged as a warning; with an error nothing more is sent. Unread data in the
    /// kernel makes it reset the connection, and over TLS close_notify is sent only in answer to the peer's. <see cref="CloseAsync"/> sends
    /// everything, and does not reset.</para>
    /// <para>Pending operations fail with <see cref="StreamClosedException"/>, except for writes whose data was sent. The read buffer can
    /// still be read. Closing again does nothing, from any thread: the first call decides <see cref="CloseReason"/> and <see cref="Error"/>
    /// together. Off the loop's thread the stream appears closed at once; the last send and the close of the descriptor follow in the
    /// loop's next turn.</para>
    /// </remarks>
    public void Close(Exception? error = null)
    {
        CloseReason reason = error is null ? CloseReason.Local : CloseReason.Error;
        if (Loop.IsCurrent)
        {
            CloseNow(reason, error, isKnown: true);
            return;
        }

        if (IsClosed) return;
        SettleOutcome(reason, error, isKnown: true);
        if (!Loop.TryPost((Stream: this, reason, error), static call => call.Stream.CloseNow(call.reason, call.error)))
            CloseWithoutLoop(reason, error);
    }

    /// <summary>Closes the stream now, as <see cref="Close"/> does, for a reason that a derived class knows.</summary>
    /// <param name="reason">Any but <see cref="CloseReason.None"/>.</param>
    /// <param name="error">Becomes <see cref="Error"/>, and is logged. Null for a close without an error.</param>
    /// <remarks>Called on the loop. Errors of the hooks close the stream by themselves.</remarks>
    protected void CloseFor(CloseReason reason, Exception? error) => CloseNow(reason, error);

    /// <summary>
    /// Closes the stream in an orderly way: sends pending data, shuts down writing, waits for the peer's EOF, then closes. May be called
    /// from any thread.
    /// </summary>
    /// <param name="timeout">
    /// For all steps together; 10 seconds when null. When it expires the stream is closed immediately, with
    /// <see cref="CloseReason.Timeout"/> if data was still unsent. <see cref="Timeout.InfiniteTimeSpan"/> means no limit.
    /// </param>
    /// <remarks>
    /// Data written before the stream is connected waits for the connection. What the peer still sends is discarded, so that it does not
    /// cause a reset that could cost the peer the last of our data. A pending read fails at once, and no more reads and writes are
    /// accepted, except reads of the read buffer. Errors on the way are not thrown: <see cref="CloseReason"/> reports them. Tornado has no
    /// such call.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The timeout is negative.</exception>
    public ValueTask CloseAsync(TimeSpan? timeout = null)
    {
        TimeSpan limit = timeout ?? s_defaultCloseTimeout;
        TimeLimit.CheckNotNegative(limit, nameof(timeout));
        if (!Loop.IsCurrent) return CloseOffLoop(limit);
        if (_state.IsClosed) return default;
        // Not used yet, but the peer may have sent something, which a close at once would answer with a reset.
        RegisterAtFirstUse();
        if (_state.IsClosed) return default;
        bool isFutile = _state.IsNew || _state.IsFailing || (IsConnecting && (Unsent == 0 || !WillConnect));
        if (_closing is null && isFutile) CloseNow(CloseReason.Local);
        else _closing ??= CloseInOrderAsync(CloseReason.Local, limit);
        return _closing is null ? default : new ValueTask(_closing);
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

    /// <summary>Closes the stream now, and sends what the system accepts at once: see <see cref="Close"/>.</summary>
    public void Dispose()
    {
        Close();
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the stream in an orderly way: see <see cref="CloseAsync"/>.</summary>
    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return CloseAsync();
    }

    /// <summary>
    /// Decides why the stream closes. The first call wins, on any thread; an error by which the stream is failing came first.
    /// </summary>
    private CloseOutcome SettleOutcome(CloseReason reason, Exception? error, bool isKnown)
    {
        TrySetOutcome(new CloseOutcome(reason, error, isKnown, IsAwaitingData: false));
        CloseOutcome outcome = _outcome!;
        if (!outcome.IsAwaitingData) return outcome;
        // The stream no longer waits for data. Another thread may have decided the same at this moment.
        Interlocked.CompareExchange(ref _outcome, outcome with { IsAwaitingData = false }, outcome);
        return _outcome!;
    }

    private bool TrySetOutcome(CloseOutcome outcome) =>
        _outcome is null && Interlocked.CompareExchange(ref _outcome, outcome, null) is null;

    /// <summary>Called on the loop once the stream is closed and its pending operations have their outcome.</summary>
    private protected virtual void OnClosed(Exception error)
    {
    }

    /// <summary>Closes the stream now. The order of the steps matters.</summary>
    private protected void CloseNow(CloseReason reason, Exception? error = null, bool isKnown = false)
    {
        if (_state.IsClosed) return;
        CloseOutcome outcome = SettleOutcome(reason, error, isKnown);
        // While there is a descriptor. Nothing is sent after an error.
        Exception? sendError = outcome.Error is null ? SendLast() : null;
        if (_state.IsClosed) return; // a hook that sent has closed the stream
        // Before anything that may run user code, which so finds a closed stream.
        _state.Close();
        ReleaseDescriptor();
        // While what is unsent can still be counted.
        ReportClose(outcome, sendError);
        CloseHalves();
        // Last: a handler may read what is left, and finds nothing pending.
        OnClosed(ClosedException());
        SignalClosed();
        RunCloseCallbackLater();
    }

    private void ReportClose(CloseOutcome outcome, Exception? sendError)
    {
        (CloseReason reason, Exception? error, bool isKnown, _) = outcome;
        NoteClose(reason, error, isKnown);
        if (Unsent > 0) LogUnsent(Unsent, sendError ?? error, IsCutByPeer(reason, sendError ?? error));
    }

    /// <summary>Drops what is unsent, and completes what waits: with what has arrived, else with the reason of the close.</summary>
    private void CloseHalves()
    {
        _writes.Drop();
        _reads.Clock?.Cancel();
        // A parser that runs still uses the buffer. Its read is completed when it returns.
        if (!_reads.IsParsing) CompleteReading();
        _reads.Buffer.Scanner?.Release();
        FailWriters();
    }

    private void CompleteReading()
    {
        if (_reads.Pending is { } read)
        {
            TryFinish(read);
            CompleteReadLater(read);
        }

        _reads.Buffer.Trim();
    }

    private void ReleaseDescriptor()
    {
        ForgetUnregistered();
        // Before the descriptor is closed: a duplicate of it, in a child process, would keep the events coming.
        Unregister();
        GC.SuppressFinalize(this);
        CloseFd();
    }

    private void Unregister()
    {
        if (_registration.IsNone) return;
        Loop.Unregister(_registration);
        _registration = default;
        Loop.Counters.StreamsOpen--;
    }

    /// <summary>EOF has been received, after everything before it, and closes the stream.</summary>
    private void CloseAtEof()
    {
        if (Unsent > 0) FlushWrites();
        if (_state.IsClosed) return;
        bool isSent = Unsent == 0 && (!IsEofInData || !TryEndWrites() || WriteEndSent.IsCompleted);
        if (isSent || (Unsent > 0 && _writes.HasWaiters))
            CloseNow(EofReason);
        else
            // Everything was accepted, and no waiter can report a loss, and the peer may still be reading: so flush first.
            _closing = CloseInOrderAsync(EofReason, s_defaultCloseTimeout);
    }

    private async Task CloseInOrderAsync(CloseReason reason, TimeSpan timeout)
    {
        _state.BeginClose();
        _expectedReason = reason;
        if (_reads.IsParsing) await Task.Yield(); // a parser closes the stream: its read comes first
        if (_reads.Pending is { } read && CompleteAtEof(read)) CompleteReadLater(read);
        UpdateRoot();
        using IDisposable limit = Loop.CallLater(timeout, () => OnCloseTimeout(reason));
        try
        {
            await FlushCore(default);
            if (TryEndWrites())
            {
                await WriteEndSent;
                if (!_state.IsEofReceived && _state.IsClosing) await DrainAsync();
            }
        }
        catch (StreamClosedException)
        {
            // The peer, an error or the time limit closed the stream first, and the outcome says so.
        }

        CloseNow(reason);
    }

    /// <summary>Notifies the peer that this side has ended, if the close alone would not.</summary>
    private bool TryEndWrites()
    {
        if (IsEofInData ? EofReason == CloseReason.Truncated : _state.IsEofReceived) return false;
        if (_state.WriteEnd != WriteEnd.Open && !IsEofInData) return true;
        try
        {
            return ShutdownWrites();
        }
        catch (Exception error) when (error is IOException or InvalidOperationException)
        {
            // TLS sends nothing in the middle of a renegotiation. The stream closes all the same.
            return false;
        }
    }

    /// <summary>Receives and discards data until EOF. Limited by the close's time limit, not by that of reads.</summary>
    private ValueTask<bool> DrainAsync()
    {
        DiscardRead drain = DiscardRead.Rent();
        drain.Owner = this;
        _reads.Pending = drain;
        if (ReceiveInline(drain) && _reads.Pending == drain) return CompleteInline(drain);
        UpdateRoot();
        return drain.Task;
    }

    private void OnCloseTimeout(CloseReason reason)
    {
        if (Unsent == 0 && WriteEndSent.IsCompleted)
        {
            CloseNow(reason);
            return;
        }

        string unsent = Unsent > 0 ? $"{Unsent} bytes" : "The end";
        CloseNow(CloseReason.Timeout, new TimeoutException($"{unsent} could not be sent before the close."));
    }

    /// <summary>
    /// Closes a stream whose loop ended while it was created on another thread. No loop acts for it, but several threads may call this.
    /// </summary>
    private void CloseWithoutLoop(CloseReason reason, Exception? error)
    {
        lock (_reads.Buffer) CloseNow(reason, error);
    }

    /// <summary>
    /// Takes over another stream's received data. The descriptor moves too, and the other stream ends without closing it.
    /// </summary>
    private protected static byte[] TakeOver(BaseIOStream other)
    {
        byte[] received = other._reads.Buffer.TakeArray(other._reads.Buffer.Length);
        other._state.Move();
        other.Unregister();
        GC.SuppressFinalize(other);
        return received;
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

    private bool IsCutByPeer(CloseReason reason, Exception? error) =>
        reason is CloseReason.Reset or CloseReason.Truncated || (error is not null && (IsConnecting || ErrorReasons.IsConnectionLoss(error)));
}
