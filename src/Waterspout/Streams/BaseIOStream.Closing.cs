using Waterspout.Errors;

namespace Waterspout;

// A close at once, step by step, and its outcome.
public abstract partial class BaseIOStream
{
    // The reason while there is no outcome yet. Stored, since it does not follow from the state: an orderly close that was begun here, and
    // one that the peer's EOF has begun, are in the same state once EOF has been received.
    private volatile CloseReason _expectedReason;

    private volatile CloseOutcome? _outcome;

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
        OnCloseCalled();
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

    /// <summary>Closes the stream now, as <see cref="Close"/> does, for a reason that a derived class has.</summary>
    /// <param name="reason">Any but <see cref="CloseReason.None"/>.</param>
    /// <param name="error">Becomes <see cref="Error"/>, and is logged. Null for a close without an error.</param>
    /// <remarks>Called on the loop. Errors of the hooks close the stream by themselves.</remarks>
    protected void CloseFor(CloseReason reason, Exception? error) => CloseNow(reason, error);

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
        if (Unsent > 0) LogUnsent(Unsent, sendError ?? error, IsLostByPeer(reason, sendError ?? error));
    }

    /// <summary>Drops what is unsent, and completes what waits: with what has arrived, else with the reason of the close.</summary>
    private void CloseHalves()
    {
        _writes.Drop();
        _reads.Clock?.Cancel();
        // A parser that runs still uses the buffer. Its read is completed when it returns.
        if (!_reads.IsParsing) CompleteReading();
        _reads.Buffer.View?.Release();
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

    /// <summary>Called by each call that closes the stream, on any thread, also when the stream has closed before.</summary>
    private protected virtual void OnCloseCalled()
    {
    }

    /// <summary>Called on the loop once the stream is closed and its pending operations have their outcome.</summary>
    private protected virtual void OnClosed(Exception error)
    {
    }

    private bool IsLostByPeer(CloseReason reason, Exception? error) =>
        reason is CloseReason.Reset or CloseReason.Truncated or CloseReason.Timeout
        || (error is not null && (IsConnecting || ErrorReasons.IsConnectionLoss(error)));

    /// <summary>
    /// Closes a stream whose loop ended while it was created on another thread. No loop acts for it, but several threads may call this.
    /// </summary>
    private void CloseWithoutLoop(CloseReason reason, Exception? error)
    {
        lock (_reads.Buffer) CloseNow(reason, error);
    }
}
