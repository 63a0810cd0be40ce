using Waterspout.Loop;

namespace Waterspout.Duplex;

// When flushed data is sent, and by whom.
internal sealed partial class ConnectionOutput : IFlushable, IThreadPoolWorkItem
{
    // Enough for a call of its own.
    private const int SendAtOnce = 32 * 1024;

    private long _sends; // each has a budget of its own

    /// <summary>The descriptor is registered with the poller. On the loop's thread.</summary>
    /// <param name="unsent">
    /// What was written to a stream that the connection takes over. It precedes everything that is written here.
    /// </param>
    internal void Start(Writes.WriteBuffer? unsent)
    {
        Exception? failure = null;
        lock (_lock)
        {
            if (_state.IsClosed) return;
            _state.Register();
            if (unsent is not null)
            {
                Writes.WriteBuffer? later = _writes.TakeBuffer();
                _writes.Append(unsent);
                if (later is not null) _writes.Append(later);
            }

            failure = Send();
        }

        if (failure is not null) _connection.Fail(failure);
    }

    /// <summary>What the poller has reported. On the loop's thread.</summary>
    internal void HandleEvents(IOEvents events)
    {
        if ((events & (IOEvents.Write | IOEvents.Error)) == 0) return;
        Exception? failure;
        lock (_lock)
        {
            if (_state.IsClosed || _state.IsNew) return;
            _state.MarkWritable();
            failure = Send(isOnLoop: true);
        }

        if (failure is not null) _connection.Fail(failure);
    }

    /// <summary>A read is about to wait, perhaps for the answer to what is queued.</summary>
    internal void SendBeforeWait()
    {
        if (!_connection.Loop.IsInTurn) SendIfQueued();
    }

    void IFlushable.FlushWrites() => SendQueued();

    void IThreadPoolWorkItem.Execute() => SendIfQueued();

    /// <summary>The connection has failed: what is unsent will not be sent.</summary>
    internal void OnFailed()
    {
        lock (_lock) EndUnsent();
    }

    /// <summary>Nothing more is sent.</summary>
    internal void Close()
    {
        lock (_lock)
        {
            if (_state.IsClosed) return;
            _state.Close();
            EndUnsent();
        }
    }

    /// <summary>Sends what is flushed.</summary>
    internal void SendQueued(bool isOnLoop = false)
    {
        Exception? failure;
        lock (_lock)
        {
            _isQueued = false;
            failure = Send(isOnLoop);
        }

        if (failure is not null) _connection.Fail(failure);
    }

    // A read, or a flush of much data, may have been faster than what was queued.
    private void SendIfQueued()
    {
        if (Volatile.Read(ref _isQueued)) SendQueued();
    }

    private Exception? SendNowOrLater()
    {
        if (_writes.Unsent >= SendAtOnce) return Send();
        if (_writes.Unsent == 0 || _isQueued || !_state.CanSend || !_state.IsWritable) return null;
        if (_connection.Loop.IsInTurn)
        {
            _isQueued = true;
            _connection.Loop.FlushAtEndOfTurn(this);
        }
        else
        {
            SendLater();
        }

        return null;
    }

    private void SendLater(bool isOnLoop = false)
    {
        _isQueued = true;
        // There it needs no thread of the pool, which may be short of them.
        if (isOnLoop && _connection.Loop.TryPost(this, static output => output.SendQueued(isOnLoop: true))) return;
        // Behind the work that the pool has already, which may flush more.
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>Sends what the descriptor accepts.</summary>
    /// <param name="isOnLoop">This is the loop's thread, which also sends what is beyond the budget, in its next turn.</param>
    /// <returns>The error, which is to be reported without the lock.</returns>
    private Exception? Send(bool isOnLoop = false)
    {
        if (!_state.CanSend || _isOver) return null;
        try
        {
            if (!_writes.Send(_connection, ref _state, ++_sends) && !_isQueued) SendLater(isOnLoop);
            OnSent();
            return null;
        }
        catch (Exception error)
        {
            return Fail(error);
        }
    }

    /// <summary>Another descriptor is put in the place of this one.</summary>
    internal void Replace(Action replace)
    {
        lock (_lock)
            if (!_state.IsClosed) replace();
    }

    /// <summary>Sends large data from the caller's memory, as far as the descriptor accepts it at once, if nothing is before it.</summary>
    private Exception? SendDirectly(ref ReadOnlySpan<byte> data)
    {
        if (data.Length < SmallestUncopied || _writes.Unsent > 0 || _isOver || !_state.CanSend || !_state.IsWritable) return null;
        try
        {
            data = data[_writes.SendDirectly(_connection, ref _state, data)..];
            return null;
        }
        catch (Exception error)
        {
            return Fail(error);
        }
    }

    private void OnSent()
    {
        _writes.ReturnBuffer();
        if (_isPending && _writes.Unsent <= _mark / 2) CompletePending(TakeResult());
        if (!_isCompleted || _isAborted || _isEnded || _writes.Unsent > 0) return;
        if (!_connection.TryEndWrites()) return;
        _isEnded = true;
        _done?.TrySetResult();
        _connection.OnOutputEnded();
    }

    private Exception Fail(Exception error)
    {
        // Before a flush reports the end: a close that follows is not the cause.
        _connection.Settle(error);
        EndUnsent();
        return error;
    }

    private void EndUnsent()
    {
        _isOver = true;
        Lost += _writes.Unsent;
        _writes.Drop();
        _done?.TrySetResult();
        if (_isPending) CompletePending(TakeResult());
    }
}
