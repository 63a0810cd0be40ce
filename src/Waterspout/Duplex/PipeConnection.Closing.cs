using Waterspout.Connecting;
using Waterspout.Errors;

namespace Waterspout.Duplex;

internal partial class PipeConnection
{
    // As for an orderly close of a stream.
    private static readonly TimeSpan s_closeLimit = TimeSpan.FromSeconds(10);

    private CloseOutcome? _outcome;
    private CancellationTokenSource? _closedSource;
    private TaskCompletionSource? _finished;
    private IDisposable? _limit;
    private int _completions;
    private int _isClosed;
    private volatile bool _isAborted;
    private volatile bool _isClosedSignalled;
    private int _signals;
    private volatile bool _hasShutDown;
    private volatile bool _isFinished;
    private volatile bool _isDraining;

    /// <summary>Why it has closed, or is failing. Null while there is nothing to say.</summary>
    internal CloseOutcome? Outcome => Volatile.Read(ref _outcome);

    /// <summary>The descriptor is closed, or about to be.</summary>
    internal bool IsClosed => Volatile.Read(ref _isClosed) != 0;

    bool ITaker.IsOver => Outcome is not null;

    internal bool HasFailed => Outcome is { Error: not null };

    /// <summary>Both sides are completed: what the peer still sends is discarded.</summary>
    internal bool IsDraining => _isDraining;

    /// <summary>The limit of an orderly close includes the time for what is still to be sent.</summary>
    protected virtual bool LimitsSending => true;

    /// <summary>
    /// Cancelled once, on the thread pool, when the peer's EOF has been received, or the connection has failed or closed.
    /// </summary>
    internal CancellationToken Closed
    {
        get
        {
            if (_isClosedSignalled) return new CancellationToken(canceled: true);
            if (_closedSource is null) Interlocked.CompareExchange(ref _closedSource, new CancellationTokenSource(), null);
            // It may have been signalled between the two.
            if (_isClosedSignalled) CancelClosedLater();
            return _closedSource.Token;
        }
    }

    /// <summary>Completes when the descriptor is closed.</summary>
    internal Task Finished
    {
        get
        {
            if (_isFinished) return Task.CompletedTask;
            if (_finished is null)
                Interlocked.CompareExchange(ref _finished, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), null);
            if (_isFinished) _finished.TrySetResult();
            return _finished.Task;
        }
    }

    /// <summary>
    /// Closes the connection now, from any thread. Reads fail with the error, flushes report the end, what is unsent is dropped, and the
    /// peer sees a reset.
    /// </summary>
    internal void Abort(Exception? error) => Abort(error is null ? CloseReason.Local : CloseReason.Error, error);

    /// <inheritdoc cref="Abort(Exception?)"/>
    internal void Abort(CloseReason reason, Exception? error)
    {
        _isAborted = true;
        CloseNow(new CloseOutcome(reason, error, IsKnown: true, IsAwaitingData: false));
    }

    /// <summary>Sends what the system accepts at once, and closes the connection now, from any thread.</summary>
    public void Close()
    {
        Output.SendQueued();
        CloseNow(Outcome);
    }

    /// <summary>Closes the connection in an orderly way. Completes when everything has been sent.</summary>
    public Task CloseAsync()
    {
        Input.Complete();
        Output.Complete();
        return Output.Done;
    }

    /// <summary>A call on the descriptor has failed. What arrived before can still be read. Called without the output's lock.</summary>
    internal void Fail(Exception error)
    {
        Settle(error);
        Output.OnFailed();
        Input.OnFailed();
        // Both sides may have been completed before, and the input have ended: then nothing else closes it.
        Loop.TryPost(this, static connection => connection.CloseIfDone());
    }

    /// <summary>Decides why the connection fails. The first call wins.</summary>
    internal void Settle(Exception error) =>
        Settle(new CloseOutcome(ErrorReasons.Of(error), error, IsKnown: false, IsAwaitingData: false));

    /// <summary>The error for a read when nothing is left to be read. Null after a regular EOF.</summary>
    internal virtual Exception? ReadError()
    {
        if (Outcome is not { } outcome) return null;
        bool isRegular = Input.IsEofReceived && !_isAborted;
        return isRegular ? null : new StreamClosedException(outcome.Reason, outcome.Error);
    }

    /// <summary>The error for a write when nothing more can be sent.</summary>
    internal virtual Exception WriteError() => new StreamClosedException(Outcome?.Reason ?? CloseReason.Local, Outcome?.Error);

    /// <summary>EOF or an error has been received. Under the input's lock.</summary>
    internal void OnInputEnded()
    {
        SignalClosed();
        if (HasFailed || _isDraining) CloseNow(Outcome);
    }

    /// <summary>Everything has been sent for a writer that has completed. Under the output's lock.</summary>
    internal virtual void OnOutputEnded()
    {
        _hasShutDown = _descriptor.ShutdownWrites();
        // Not here: that would take the input's lock under the output's.
        Loop.TryPost(this, static connection => connection.CloseIfDone());
    }

    /// <summary>The application has completed one of the two sides.</summary>
    internal void OnCompleted(Exception? error)
    {
        bool isLast = Interlocked.Increment(ref _completions) == 2;
        if (error is not null) Abort(error);
        else if (isLast && !Loop.TryPost(this, static connection => connection.CloseIfDone())) CloseNow(Outcome);
    }

    /// <summary>The connection is cancelled on the thread pool; a transport may do more.</summary>
    protected virtual void OnClosedSignalled()
    {
    }

    /// <summary>
    /// On the loop: closes the connection in an orderly way when both sides have been completed, and everything has been sent.
    /// </summary>
    private void CloseIfDone()
    {
        bool isOver = Volatile.Read(ref _completions) == 2 || (_descriptor.IsWriteOnly && Output.IsDone);
        if (!isOver || IsClosed) return;
        if (LimitsSending || Output.IsDone) _limit ??= Loop.CallLater(s_closeLimit, OnLimit);
        if (!Output.IsDone) return;
        _isDraining = true;
        // Without half-close the peer sees no end before the close.
        if (Input.IsEofReceived || HasFailed || !_hasShutDown) CloseNow(Outcome);
        else Input.BeginDrain();
    }

    private void OnLimit()
    {
        if (Output.IsDone)
        {
            CloseNow(Outcome);
            return;
        }

        TimeoutException error = new("Not everything could be sent before the close.");
        CloseNow(new CloseOutcome(CloseReason.Timeout, error, IsKnown: false, IsAwaitingData: false));
    }

    private void CloseNow(CloseOutcome? outcome)
    {
        if (Interlocked.Exchange(ref _isClosed, 1) != 0) return;
        Settle(outcome ?? new CloseOutcome(CloseReason.Local, null, IsKnown: true, IsAwaitingData: false));
        // After these no thread makes a call on the descriptor.
        Output.Close();
        Input.Close(_isAborted);
        SignalClosed();
        if (!Loop.TryPost(this, static connection => connection.Release())) Release();
    }

    private void Settle(CloseOutcome outcome) => Interlocked.CompareExchange(ref _outcome, outcome, null);

    /// <summary>Closes the descriptor, on the loop's thread.</summary>
    private void Release()
    {
        _limit?.Dispose();
        if (!_registration.IsNone) Loop.Unregister(_registration);
        _registration = default;
        if (_isAborted) _descriptor.ResetOnClose();
        _descriptor.Close(Outcome!, Output.Lost);
        _isFinished = true;
        Volatile.Read(ref _finished)?.TrySetResult();
    }

    /// <summary>Notifies of the end, if that has not been done.</summary>
    internal void SignalClosed()
    {
        if (Interlocked.Exchange(ref _signals, 1) != 0) return;
        _isClosedSignalled = true;
        if (Volatile.Read(ref _closedSource) is not null) CancelClosedLater();
        OnClosedSignalled();
    }

    private void CancelClosedLater() => ThreadPool.UnsafeQueueUserWorkItem(static source => source.Cancel(), _closedSource!, preferLocal: false);
}
