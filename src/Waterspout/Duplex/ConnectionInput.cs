using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;

namespace Waterspout.Duplex;

/// <summary>The receiving side of a connection, as a <see cref="PipeReader"/> over the buffer that is received into.</summary>
/// <remarks>
/// <para>Theory of operation. Only a read receives, on the thread that runs the application: there is no pump, and the kernel's buffer
/// holds the peer back. A read returns what is buffered and not examined yet; else it receives, if the descriptor is known to be readable;
/// else it waits, and an empty buffer holds no memory meanwhile. The event then runs <see cref="Resume"/>, which receives and completes the
/// read as its last act, so that the application continues on the same thread.</para>
/// <para>A result lends the buffer's memory until <see cref="AdvanceTo(SequencePosition, SequencePosition)"/>. Nothing is moved while it is
/// lent. The peer's EOF is looked for ahead of the reader once the poller has announced it, since the end of a connection has to be known
/// while nobody reads.</para>
/// <para>Everything is done under one lock, calls on the descriptor included. What may complete on another thread at the same time (a
/// cancellation, a close) finds the read pending or not.</para>
/// </remarks>
internal sealed partial class ConnectionInput : PipeReader
{
    private const int SmallestChunk = 4 * 1024;
    private const int LargestChunk = 64 * 1024;

    // Less room than this is not worth a receive: the data is moved, or a larger array rented.
    private const int SmallestReceive = 512;

    // How far EOF is looked for ahead of the reader.
    private const int MostAhead = 1024 * 1024;

    private readonly PipeConnection _connection;
    private readonly Lock _lock = new();
    private ReadHalf _reads = new();
    private StreamState _state = new();
    private Waiter<ReadResult>? _waiter;
    private Kind _pending;
    private Loan _loan;
    private object? _lentArray;
    private int _lentStart;
    private int _examined; // bytes at the front of the buffer that the reader has seen, and that alone complete no read
    private int _chunk = SmallestChunk;
    private bool _isCancelled; // the next read, or the pending one
    private bool _isCompleted; // by the reader
    private bool _isEnded; // nothing more will come: EOF, or an error
    private bool _isAborted; // what is buffered is not read any more
    private bool _isResumeQueued;

    internal ConnectionInput(PipeConnection connection) => _connection = connection;

    /// <summary>What the pending read waits for.</summary>
    private enum Kind : byte
    {
        None,

        /// <summary>The buffer, as a pipe.</summary>
        Buffer,

        /// <summary>Bytes in the caller's memory, as a stream.</summary>
        Bytes,
    }

    /// <summary>Whether the last result still lends the buffer.</summary>
    private enum Loan : byte
    {
        None,

        /// <summary>A cancelled read lends what is there, and the reader need not return it.</summary>
        Optional,

        /// <summary>The next read has to wait until the reader has advanced.</summary>
        Full,
    }

    /// <summary>The peer's EOF has been received, and everything before it.</summary>
    internal bool IsEofReceived => _state.IsEofReceived;

    private Reads.ReadBuffer Buffer => _reads.Buffer;

    private bool HasUnexamined => Buffer.Length > _examined;

    /// <inheritdoc/>
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        ValueTask<ReadResult> pending;
        lock (_lock)
        {
            ThrowIfReadIsRefused();
            if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled<ReadResult>(cancellationToken);
            if (TryTake(out ReadResult result, out Exception? error))
                return error is null ? new ValueTask<ReadResult>(result) : ValueTask.FromException<ReadResult>(error);
            _pending = Kind.Buffer;
            _reads.PendingSince = _connection.Loop.CurrentMoment;
            Fresh(ref _waiter).Begin(isBlocking: false, cancellationToken);
            pending = _waiter.Task;
        }

        // The peer may be waiting for what is queued.
        _connection.Output.SendBeforeWait();
        return pending;
    }

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        lock (_lock)
        {
            ThrowIfReadIsRefused();
            if (!TryTake(out result, out Exception? error)) return false;
            return error is null ? true : throw error;
        }
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        lock (_lock)
        {
            ThrowIfCompleted();
            if (_loan == Loan.None) throw new InvalidOperationException("There is no read to advance after.");
            int taken = OffsetOf(consumed, nameof(consumed));
            int seen = OffsetOf(examined, nameof(examined));
            if (seen < taken) throw new InvalidOperationException("More was consumed than was examined.");
            EndLoan();
            Buffer.Consume(taken);
            _examined = seen - taken;
            if (_state.IsEofAnnounced) ReceiveAhead();
        }
    }

    /// <inheritdoc/>
    public override void CancelPendingRead()
    {
        lock (_lock)
        {
            _isCancelled = true;
            if (_pending == Kind.Buffer) CompletePending();
        }
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => End(Completed(), exception);

    /// <summary>The reader reads no more.</summary>
    /// <param name="pending">What a pending read fails with.</param>
    /// <param name="error">An error aborts the connection.</param>
    internal void End(Exception pending, Exception? error)
    {
        lock (_lock)
        {
            if (_isCompleted) return;
            _isCompleted = true;
            EndLoan();
            FailPending(pending);
            Buffer.Consume(Buffer.Length);
            _examined = 0;
        }

        _connection.OnCompleted(error);
    }

    /// <summary>What is there and has not been examined, or the end. False if a read has to wait.</summary>
    private bool TryTake(out ReadResult result, out Exception? error)
    {
        result = default;
        error = null;
        if (!_isCancelled && !HasUnexamined) Receive();
        bool hasData = HasUnexamined && !_isAborted;
        if (!_isCancelled && !hasData)
        {
            if (!_isEnded) return false;
            error = _connection.ReadError();
            if (error is not null) return true;
        }

        ReadOnlySequence<byte> data = new(Buffer.Memory);
        _loan = _isCancelled ? Loan.Optional : Loan.Full;
        _lentArray = data.Start.GetObject();
        _lentStart = data.Start.GetInteger();
        result = new ReadResult(data, _isCancelled, _isEnded && _connection.ReadError() is null);
        _isCancelled = false;
        return true;
    }

    private int OffsetOf(SequencePosition position, string name)
    {
        if (position.GetObject() is not { } array) return 0;
        int offset = position.GetInteger() - _lentStart;
        if (array != _lentArray || offset < 0 || offset > Buffer.Length)
            throw new ArgumentOutOfRangeException(name, "The position is not one in the buffer of the last read.");
        return offset;
    }

    private void EndLoan()
    {
        _loan = Loan.None;
        _lentArray = null;
    }

    private void ThrowIfReadIsRefused()
    {
        ThrowIfCompleted();
        if (_pending != Kind.None || _loan == Loan.Full)
            throw new InvalidOperationException("Another read is under way: its result has not been advanced after.");
    }

    private void ThrowIfCompleted()
    {
        if (_isCompleted) throw Completed();
    }

    private static InvalidOperationException Completed() => new("The reader has been completed.");

    /// <summary>A waiter for the next read. A result that was never taken does not stand in the way.</summary>
    private Waiter<T> Fresh<T>([NotNull] ref Waiter<T>? waiter)
    {
        if (waiter is null or { IsInUse: true }) waiter = new Waiter<T>(_connection.Loop, CancelPending);
        return waiter;
    }
}
