using Waterspout.Loop;

namespace Waterspout.Duplex;

// When flushed data is sent, and by whom.
internal sealed partial class ConnectionOutput : IFlushable, IThreadPoolWorkItem
{
    // Enough for a call of its own.
    private const int SendAtOnce = 32 * 1024;

    private long _sends; // each has a budget of its own
    private int _flushes; // with data, since something was received; read without the lock, for a guess

    /// <summary>The poller knows the descriptor. On the loop's thread.</summary>
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

    /// <summary>Something was received: the next flush is the answer, or one of many.</summary>
    internal void ExpectAnswer()
    {
        _sendsFirst = _flushes <= 1;
        _flushes = 0;
    }

    /// <summary>A read is about to wait, perhaps for the answer to what is queued.</summary>
    internal void SendBeforeWait()
    {
        _sendsFirst = _flushes <= 1;
        if (Volatile.Read(ref _isQueued) && !_connection.Loop.IsInTurn) SendQueued();
    }

    void IFlushable.FlushWrites() => SendQueued();

    void IThreadPoolWorkItem.Execute() => SendQueued();

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

    private Exception? SendNowOrLater()
    {
        if (_writes.Unsent > 0) _flushes++;
        if (_writes.Unsent == 0 || _isQueued || !_state.CanSend || !_state.IsWritable)
            return _writes.Unsent >= SendAtOnce ? Send() : null;
        if (_connection.Loop.IsInTurn && _writes.Unsent < SendAtOnce)
        {
            _isQueued = true;
            _connection.Loop.FlushAtEndOfTurn(this);
            return null;
        }

        if (_sendsFirst || _writes.Unsent >= SendAtOnce)
        {
            _sendsFirst = false;
            return Send();
        }

        SendLater();
        return null;
    }

    private void SendLater(bool isOnLoop = false)
    {
        _isQueued = true;
        // There it needs no thread of the pool, which may be short of them.
        if (isOnLoop && _connection.Loop.TryPost(this, static output => output.SendQueued(isOnLoop: true))) return;
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: true);
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

    /// <summary>
    /// Sends the caller's memory as far as the descriptor accepts it at once, if nothing is before it, and it is large or would be sent now
    /// anyway.
    /// </summary>
    private Exception? SendDirectly(ref ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty || _writes.Unsent > 0 || _isOver || !_state.CanSend || !_state.IsWritable) return null;
        bool isFirst = _sendsFirst && !_connection.Loop.IsInTurn;
        if (!isFirst && data.Length < SmallestUncopied) return null;
        _sendsFirst = false;
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
