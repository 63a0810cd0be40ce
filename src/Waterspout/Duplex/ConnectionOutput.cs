using System.IO.Pipelines;

namespace Waterspout.Duplex;

/// <summary>The sending side of a connection, as a <see cref="PipeWriter"/> whose memory is sent from.</summary>
/// <remarks>
/// <para>Theory of operation. What is written and not flushed belongs to the writer alone, and needs no lock. A flush hands its buffer
/// over, and completes at once while what is unsent is below the high-water mark; above it, when half of that is left. Who sends, and
/// when:</para>
/// <list type="bullet">
/// <item>within a turn of the loop: the loop, at the end of the turn, everything together;</item>
/// <item>elsewhere one work item of the thread pool, behind the work that the pool has already. So what several requests write is sent
/// together, and what is sent wakes the peer less often. A call for each flush would halve what a multiplexed protocol can do; a call for
/// the first one alone cost a cluster with 64 calls under way, and a proxy, a sixth;</item>
/// <item>a flush that leaves 32 KiB or more unsent sends at once, and so do a read that is about to wait, and a write that blocks its
/// thread, since the pool may be short of threads;</item>
/// <item>what the kernel does not accept is sent on the loop's thread when the descriptor is writable again.</item>
/// </list>
/// <para>Calls on the descriptor are made under the lock of the flushed data.</para>
/// </remarks>
internal sealed partial class ConnectionOutput : BufferedPipeWriter
{
    // Larger data is sent from where it is, if nothing is before it.
    private const int SmallestUncopied = 8 * 1024;

    private readonly PipeConnection _connection;
    private readonly Lock _lock = new();
    private WriteHalf _writes = new();
    private StreamState _state = new();
    private Waiter<FlushResult>? _waiter;
    private bool _isPending;
    private long _mark; // the pending flush completes when half of this is unsent
    private bool _isCancelled; // the next flush, or the pending one
    private bool _isCompleted; // by the writer
    private bool _isAborted; // with an error: the peer sees a reset, and no regular end before it
    private bool _isOver; // nothing more can be sent: the connection has failed or closed
    private TaskCompletionSource? _done;
    private bool _isEnded; // everything has been sent, and the peer notified of the end
    private bool _isQueued; // a work item, or the end of the turn, will send

    internal ConnectionOutput(PipeConnection connection) => _connection = connection;

    /// <summary>Everything has been sent, and the peer notified of the end; or nothing more can be sent.</summary>
    internal bool IsDone => _isEnded || _isOver;

    /// <summary>Completes when <see cref="IsDone"/> is true.</summary>
    internal Task Done
    {
        get
        {
            lock (_lock)
            {
                if (IsDone) return Task.CompletedTask;
                _done ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                return _done.Task;
            }
        }
    }

    /// <summary>The number of bytes that were dropped.</summary>
    internal long Lost { get; private set; }

    protected override bool IsCompleted => _isCompleted;

    /// <inheritdoc/>
    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled<FlushResult>(cancellationToken);
        bool mustWait = Flush(source.Span, sendsAll: false, isBlocking: false, cancellationToken, out FlushResult result);
        return mustWait ? _waiter!.Task : new ValueTask<FlushResult>(result);
    }

    /// <inheritdoc/>
    public override void CancelPendingFlush()
    {
        lock (_lock)
        {
            _isCancelled = true;
            if (_isPending) CompletePending(TakeResult());
        }
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null)
    {
        Exception? failure = null;
        lock (_lock)
        {
            if (_isCompleted) return;
            Commit();
            _isCompleted = true;
            _isAborted = exception is not null;
            // What it drops need not be sent first.
            if (exception is null) failure = Send();
        }

        if (failure is not null) _connection.Fail(failure);
        _connection.OnCompleted(exception);
    }

    /// <summary>Hands over what is written, and data of the caller's after it.</summary>
    /// <param name="data">Sent from where it is, as far as possible, and otherwise copied.</param>
    /// <param name="sendsAll">The flush waits until nothing is unsent.</param>
    /// <param name="isBlocking">A thread will be blocked until the flush completes.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="result">The result, if there is no wait.</param>
    /// <returns>True if the flush has to wait, for the waiter.</returns>
    private bool Flush(ReadOnlySpan<byte> data, bool sendsAll, bool isBlocking, CancellationToken cancellationToken, out FlushResult result)
    {
        Exception? failure;
        bool mustWait;
        lock (_lock)
        {
            ThrowIfCompleted();
            if (_isPending) throw AlreadyFlushing();
            Commit();
            failure = SendDirectly(ref data);
            if (!data.IsEmpty) Append(data);
            failure ??= sendsAll || isBlocking ? Send() : SendNowOrLater();
            _mark = sendsAll ? 0 : _connection.HighWaterMark;
            mustWait = !_isCancelled && !_isOver && _writes.Unsent > _mark;
            if (mustWait) Begin(isBlocking, cancellationToken);
            result = mustWait ? default : TakeResult();
        }

        if (failure is not null) _connection.Fail(failure);
        return mustWait;
    }

    private void Begin(bool isBlocking, CancellationToken cancellationToken)
    {
        _isPending = true;
        if (_writes.BlockedSince.IsNone) NoteBlocked(_connection.Loop.CurrentMoment); // by a send that had nothing buffered
        if (_waiter is null or { IsInUse: true }) _waiter = new Waiter<FlushResult>(_connection.Loop, CancelPending);
        _waiter.Begin(isBlocking, cancellationToken);
    }

    private FlushResult TakeResult()
    {
        FlushResult result = new(_isCancelled, _isOver);
        _isCancelled = false;
        return result;
    }

    private void CompletePending(FlushResult result)
    {
        _isPending = false;
        _waiter!.Complete(result);
    }

    /// <summary>Ends the pending flush with an error, if there is one. Its data is sent all the same.</summary>
    private void CancelPending(Waiter<FlushResult> waiter, Exception error)
    {
        lock (_lock)
        {
            if (!_isPending || waiter != _waiter) return;
            _isPending = false;
            _waiter!.Fail(error);
        }
    }

    private void Append(ReadOnlySpan<byte> data)
    {
        if (_isOver) Lost += data.Length;
        else _writes.Append(data);
    }

    /// <summary>What was written may be sent.</summary>
    private void Commit()
    {
        if (TakeUnflushed() is not { } data) return;
        if (!_isOver)
        {
            _writes.Append(data);
            return;
        }

        Lost += data.Length;
        data.Discard();
    }

    protected override InvalidOperationException Completed() =>
        _connection.IsStream ? new ObjectDisposedException(nameof(Stream)) : base.Completed();
}
