namespace Waterspout.Duplex;

// Reads into the caller's memory, for the connection as a stream.
internal sealed partial class ConnectionInput
{
    private Waiter<int>? _bytesWaiter;
    private Memory<byte> _target; // of the pending read; empty if it only waits

    /// <summary>Reads what there is; waits until there is something. Empty memory waits, and takes nothing.</summary>
    /// <returns>The number of bytes; 0 at EOF.</returns>
    internal ValueTask<int> ReadBytesAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        ValueTask<int> pending;
        lock (_lock)
        {
            ThrowIfReadIsRefused();
            if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled<int>(cancellationToken);
            if (TryTakeBytes(target, out int count, out Exception? error))
                return error is null ? new ValueTask<int>(count) : ValueTask.FromException<int>(error);
            pending = BeginBytes(target, isBlocking: false, cancellationToken).Task;
        }

        _connection.Output.SendBeforeWait();
        return pending;
    }

    /// <summary>The same, and blocks the thread.</summary>
    internal int ReadBytes(Memory<byte> target, int timeout)
    {
        Waiter<int> waiter;
        lock (_lock)
        {
            ThrowIfReadIsRefused();
            if (TryTakeBytes(target, out int count, out Exception? error)) return error is null ? count : throw error;
            waiter = BeginBytes(target, isBlocking: true, default);
        }

        _connection.Output.SendBeforeWait();
        return waiter.Block(timeout);
    }

    private Waiter<int> BeginBytes(Memory<byte> target, bool isBlocking, CancellationToken cancellationToken)
    {
        _pending = Kind.Bytes;
        _reads.PendingSince = _connection.Loop.CurrentMoment;
        _target = target;
        Fresh(ref _bytesWaiter).Begin(isBlocking, cancellationToken);
        return _bytesWaiter;
    }

    private bool TryTakeBytes(Memory<byte> target, out int count, out Exception? error)
    {
        count = 0;
        error = _isAborted ? _connection.ReadError() : null;
        if (error is not null) return true;
        // Large enough to need no buffer, and nothing is buffered that would come first.
        if (Buffer.Length == 0 && target.Length >= SmallestChunk)
        {
            while (IsReceivable)
                if (ReceiveInto(target) is > 0 and int received) return (count = received) > 0;
        }
        else if (Buffer.Length == 0)
        {
            _examined = 0;
            Receive();
        }

        if (Buffer.Length > 0)
        {
            count = Math.Min(Buffer.Length, target.Length);
            Buffer.Data[..count].CopyTo(target.Span);
            Buffer.Consume(count);
            _examined = Math.Max(0, _examined - count);
            if (_state.IsEofAnnounced) ReceiveAhead();
            return true;
        }

        if (_isEnded) error = _connection.ReadError();
        return _isEnded;
    }
}
