using System.ComponentModel;
using System.Net.Sockets;
using Waterspout.Interop;
using Waterspout.Loop;
using Waterspout.Reads;

namespace Waterspout;

public abstract partial class BaseIOStream
{
    // Long enough for a slow peer to take a full buffer, short enough that one that never ends does not keep a descriptor.
    private static readonly TimeSpan s_defaultCloseTimeout = TimeSpan.FromSeconds(10);

    private Action? _closeCallback;
    private CancellationTokenSource? _closedSource;
    private Task? _closing;
    private volatile bool _isClosedSignalled;
    private volatile CloseReason _expectedReason; // what is known before the stream closes
    private volatile CloseOutcome? _outcome;

    /// <summary>Cancelled when the stream closes, or when the end of the peer's side is known, also while data in front of it is unread.</summary>
    /// <remarks>
    /// With <see cref="IOStreamOptions.AllowHalfOpen"/> the end of the peer's side alone does not count. Callbacks registered with the
    /// token run on the loop. Tornado has no such thing.
    /// </remarks>
    public CancellationToken Closed
    {
        get
        {
            if (_isClosedSignalled) return new CancellationToken(canceled: true);
            if (_closedSource is null && Interlocked.CompareExchange(ref _closedSource, new CancellationTokenSource(), null) is null)
                Loop.TryInvoke(this, static stream => stream.UpdateRoot());
            // The end may have been told between the two looks.
            if (_isClosedSignalled) CancelClosedLater();
            return _closedSource.Token;
        }
    }

    /// <summary>Another stream has taken the descriptor, and what had arrived.</summary>
    private protected bool IsMoved => _state.IsMoved;

    /// <summary>Closes the stream now.</summary>
    /// <param name="error">Becomes <see cref="Error"/>, and the inner exception of what pending operations fail with.</param>
    /// <remarks>
    /// <para>Without an error, what was written is first handed to the system as far as that takes it at once, as Tornado's write does. What
    /// it does not take is dropped, and its size logged as a warning; with an error nothing more is sent. Unread data in the kernel makes it
    /// reset the connection, and over TLS there is no close_notify but in answer to the peer's. <see cref="CloseAsync"/> sends everything,
    /// and resets nothing.</para>
    /// <para>Pending operations fail with <see cref="StreamClosedException"/>, but for those whose data was sent. What is in the read buffer
    /// can still be read. Closing again does nothing, from whatever thread: the first call decides <see cref="CloseReason"/> and
    /// <see cref="Error"/> together. Off the loop's thread the stream is closed as far as everybody can see, and the last sending and the
    /// descriptor's end come with the loop's next turn.</para>
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
        if (!Loop.TryPost((Stream: this, reason, error), static call => call.Stream.CloseNow(call.reason, call.error))) CloseWithoutLoop(reason, error);
    }

    /// <summary>Closes the stream in good order: sends what was written, ends this side, waits for the peer to end his, closes.</summary>
    /// <param name="timeout">
    /// For everything together; 10 seconds when null. When it has passed the stream is closed as it is, with <see cref="CloseReason.Timeout"/>
    /// if data was still unsent. <see cref="Timeout.InfiniteTimeSpan"/> for no limit.
    /// </param>
    /// <remarks>
    /// What was written before there is a connection waits for it. What the peer still sends is thrown away, so that it is not answered by a reset that could cost it the last of our data. A pending
    /// read fails at once, and no more reads and writes are taken, except of what is in the read buffer. Does not throw for what goes wrong
    /// on the way: <see cref="CloseReason"/> tells. Tornado has no such call.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The timeout is negative.</exception>
    public ValueTask CloseAsync(TimeSpan? timeout = null)
    {
        TimeSpan limit = timeout ?? s_defaultCloseTimeout;
        TimeLimit.CheckNotNegative(limit, nameof(timeout));
        if (!Loop.IsCurrent) return CloseOffLoop(limit);
        if (_state.IsClosed) return default;
        bool isFutile = _state.IsNew || _state.IsFailing || (IsConnecting && (Unsent == 0 || !WillConnect));
        if (_closing is null && isFutile) CloseNow(CloseReason.Local);
        else _closing ??= CloseInOrderAsync(CloseReason.Local, limit);
        return _closing is null ? default : new ValueTask(_closing);
    }

    /// <summary>Sets what is called, on the loop, when the stream has closed.</summary>
    /// <param name="callback">Null for nothing. One that is set replaces the one before.</param>
    /// <remarks>
    /// Runs once, after the callbacks for data that had arrived. It is told also when nobody is reading; but not as long as there is unread
    /// data in front of the end. Where the stream is closed already it runs all the same.
    /// </remarks>
    public void SetCloseCallback(Action? callback)
    {
        // Where the loop has ended, so has the stream.
        if (!Loop.TryInvoke((Stream: this, callback), static call => call.Stream.StoreCloseCallback(call.callback))) StoreCloseCallback(callback);
    }

    /// <summary>Closes the stream now, and sends what the system takes at once: see <see cref="Close"/>.</summary>
    public void Dispose()
    {
        Close();
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the stream in good order: see <see cref="CloseAsync"/>.</summary>
    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return CloseAsync();
    }

    /// <summary>Settles why the stream closes. The first call decides, on whatever thread; an error that the stream is failing by came first.</summary>
    private CloseOutcome SettleOutcome(CloseReason reason, Exception? error, bool isKnown)
    {
        TrySetOutcome(new CloseOutcome(reason, error, isKnown, IsAwaitingData: false));
        CloseOutcome outcome = _outcome!;
        if (!outcome.IsAwaitingData) return outcome;
        // No data is waited for any more. Another thread may have said the same at this moment.
        Interlocked.CompareExchange(ref _outcome, outcome with { IsAwaitingData = false }, outcome);
        return _outcome!;
    }

    private bool TrySetOutcome(CloseOutcome outcome) => _outcome is null && Interlocked.CompareExchange(ref _outcome, outcome, null) is null;

    /// <summary>Called on the loop once the stream is closed and its pending operations have their outcome.</summary>
    private protected virtual void OnClosed(Exception error)
    {
    }

    private protected void CloseNow(CloseReason reason, Exception? error = null, bool isKnown = false)
    {
        if (_state.IsClosed) return;
        (reason, error, isKnown, _) = SettleOutcome(reason, error, isKnown);
        Exception? sendError = error is null ? SendLast() : null;
        if (_state.IsClosed) return; // a hook that sent has closed the stream
        _state.Close();
        ForgetUnregistered();
        ReleaseDescriptor();
        NoteClose(reason, error, isKnown);
        if (Lost is > 0 and long lost) LogUnsent(lost, sendError ?? error, IsCutByPeer(reason, sendError ?? error));

        _writes.Drop();
        _readDeadline?.Cancel();
        // Not from within a parser, who has the buffer, and whose read ends when he returns.
        if (!_isParsing) CompleteReading();
        _readBuffer.Scanner?.Release();
        StreamClosedException closed = ClosedException();
        FailWriters();
        OnClosed(closed);
        SignalClosed();
        RunCloseCallbackLater();
    }

    private void CompleteReading()
    {
        if (_pendingRead is { } read)
        {
            TryFinish(read);
            CompleteReadLater(read);
        }

        _readBuffer.Trim();
    }

    private void ReleaseDescriptor()
    {
        if (!_registration.IsNone)
        {
            // Before the descriptor goes: a duplicate of it, in a child process, would keep the events coming.
            Loop.Unregister(_registration);
            _registration = default;
            Loop.Counters.StreamsOpen--;
        }

        GC.SuppressFinalize(this);
        CloseFd();
    }

    /// <summary>The peer has ended its side, everything in front of that has been received, and that closes the stream.</summary>
    private void CloseAtEof()
    {
        if (Unsent > 0) FlushWrites();
        if (_state.IsClosed) return;
        bool isSent = Unsent == 0 && (!IsEofInData || !TryEndWrites() || WriteEndSent.IsCompleted);
        if (isSent || (Unsent > 0 && _writes.HasWaiters))
            CloseNow(EofReason);
        else
            // All of it was accepted, and nobody waits who could be told that it was lost: the peer may well be reading.
            _closing = CloseInOrderAsync(EofReason, s_defaultCloseTimeout);
    }

    private async Task CloseInOrderAsync(CloseReason reason, TimeSpan timeout)
    {
        _state.BeginClose();
        _expectedReason = reason;
        if (_isParsing) await Task.Yield(); // a parser closes the stream: its read comes first
        if (_pendingRead is { } read && CompleteAtEof(read)) CompleteReadLater(read);
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
            // The peer, an error or the time limit was faster, and the stream says so.
        }

        CloseNow(reason);
    }

    /// <summary>Tells the peer that this side has ended, where it does not see that by the close itself.</summary>
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
            // TLS says nothing in the middle of a renegotiation. The stream closes all the same.
            return false;
        }
    }

    /// <summary>Completes when the end that <see cref="ShutdownWrites"/> has told is in the hands of the system, where that takes more than the call.</summary>
    private protected virtual Task WriteEndSent => Task.CompletedTask;

    /// <summary>Takes what still comes and throws it away, until the end. Limited by the close's time limit, not by that of reads.</summary>
    private ValueTask<bool> DrainAsync()
    {
        DiscardRead drain = DiscardRead.Rent();
        drain.Stream = this;
        _pendingRead = drain;
        if (ReceiveInline(drain) && _pendingRead == drain) return CompleteInline(drain);
        UpdateRoot();
        return drain.Task;
    }

    private void OnCloseTimeout(CloseReason reason)
    {
        if (Unsent == 0 && WriteEndSent.IsCompleted) CloseNow(reason);
        else CloseNow(CloseReason.Timeout, new TimeoutException(Unsent > 0 ? $"{Unsent} bytes could not be sent before the close." : "The end could not be sent before the close."));
    }

    /// <summary>A stream whose loop ended while it was made on another thread. Nobody else acts for it, but several may ask.</summary>
    private void CloseWithoutLoop(CloseReason reason, Exception? error)
    {
        lock (_readBuffer) CloseNow(reason, error);
    }

    /// <summary>Takes what another stream has received; the descriptor goes with it, and the other one ends without closing it.</summary>
    private protected void TakeOver(BaseIOStream other)
    {
        _readBuffer.Append(other._readBuffer.Data);
        other._readBuffer.Release();
        other._state.Move();
        if (!other._registration.IsNone) Loop.Unregister(other._registration);
        other._registration = default;
        Loop.Counters.StreamsOpen--;
        GC.SuppressFinalize(other);
    }

    /// <summary>Those who want to be told of the end are told by another stream from now on.</summary>
    private protected void MoveListeners(BaseIOStream other)
    {
        (other._closeCallback, _closeCallback) = (_closeCallback, null);
        (other._closedSource, _closedSource) = (_closedSource, other._closedSource);
        if (!other._state.IsClosed) return;
        other.RunCloseCallbackLater();
        if (other._closedSource is not null) other.CancelClosedLater();
    }

    /// <summary>Tells the end by the token and, where there is no reason yet, as the reason.</summary>
    private void SignalClosed()
    {
        if (_isClosedSignalled) return;
        if (_expectedReason == CloseReason.None) _expectedReason = ReasonOfKnownEnd;
        _isClosedSignalled = true;
        if (Volatile.Read(ref _closedSource) is not null) CancelClosedLater();
    }

    private void CancelClosedLater() =>
        Loop.PostOrPool(_closedSource!, static source => source.Cancel());

    private void StoreCloseCallback(Action? callback)
    {
        _closeCallback = callback;
        if (_state.IsClosed) RunCloseCallbackLater();
        else UpdateRoot();
    }

    private void RunCloseCallbackLater()
    {
        if (Interlocked.Exchange(ref _closeCallback, null) is { } callback) RunCallbackLater(callback);
    }

    private bool IsCutByPeer(CloseReason reason, Exception? error) =>
        reason is CloseReason.Reset or CloseReason.Truncated || (error is not null && (IsConnecting || IsConnectionLoss(error)));

    /// <summary>The peer has ended its side in the regular way.</summary>
    private protected bool HasPeerEnded => _state.IsEofReceived && EofReason == CloseReason.EndOfStream;

    private static bool IsConnectionLoss(Exception error) => error switch
    {
        StreamClosedException { Reason: CloseReason.Reset } => true, // of the transport under TLS
        SocketException { SocketErrorCode: SocketError.ConnectionReset or SocketError.Shutdown or SocketError.ConnectionAborted or SocketError.TimedOut } => true,
        IOException { InnerException: Win32Exception { NativeErrorCode: (int)Errno.EPIPE } } => true,
        _ => false,
    };

    /// <summary>Why a stream closes: one object, so that no thread sees the reason of one close with the error of another.</summary>
    /// <param name="Reason">The kind of close.</param>
    /// <param name="Error">Null after a close without an error.</param>
    /// <param name="IsKnown">The error came from the user's code, or is in the log already: it needs no loud line.</param>
    /// <param name="IsAwaitingData">The stream is failing, and not closed: what arrived before the error is still being received.</param>
    private sealed record CloseOutcome(CloseReason Reason, Exception? Error, bool IsKnown, bool IsAwaitingData);
}
