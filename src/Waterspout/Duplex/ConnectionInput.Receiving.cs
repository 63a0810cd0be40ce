using System.IO.Pipelines;

namespace Waterspout.Duplex;

// How data gets into the buffer, and to a read that waits for it.
internal sealed partial class ConnectionInput
{
    private bool IsReceivable => _state.IsReadable && !_isEnded;

    /// <summary>The poller knows the descriptor. On the loop's thread.</summary>
    internal void Start(ReadOnlySpan<byte> received, bool mayBeReadable)
    {
        bool mustResume;
        lock (_lock)
        {
            if (_state.IsClosed) return;
            _state.Register();
            // The first bytes were received by a stream. They precede everything that is received here.
            Buffer.Append(received);
            if (mayBeReadable || _pending != Kind.None) MarkReadable();
            mustResume = MustResume();
        }

        if (mustResume) _connection.Loop.Resume(_connection);
    }

    /// <summary>What the poller has reported. On the loop's thread.</summary>
    internal void HandleEvents(IOEvents events)
    {
        bool mustResume;
        lock (_lock)
        {
            if (_state.IsClosed) return;
            if ((events & (IOEvents.ReadClosed | IOEvents.HangUp)) != 0) _state.AnnounceEof();
            _state.Track(events);
            if (_state.IsReadable) _connection.OnReadable(_state.IsEofAnnounced);
            if (_isCompleted) Discard();
            else if (_state.IsEofAnnounced && _pending == Kind.None) ReceiveAhead();
            mustResume = MustResume();
        }

        if (mustResume) _connection.Loop.Resume(_connection);
    }

    /// <summary>
    /// Receives for the pending read, and completes it; its awaiter runs within this call, unless it has a context of its own.
    /// </summary>
    internal void Resume()
    {
        Waiter<ReadResult>? waiter = null;
        Waiter<int>? bytesWaiter = null;
        ReadResult result = default;
        int count = 0;
        lock (_lock)
        {
            _isResumeQueued = false;
            Exception? error = null;
            if (_pending == Kind.Buffer && TryTake(out result, out error)) waiter = _waiter;
            else if (_pending == Kind.Bytes && TryTakeBytes(_target, out count, out error)) bytesWaiter = _bytesWaiter;
            else return;
            if (error is not null)
            {
                FailPending(error);
                return;
            }

            EndPending();
        }

        waiter?.CompleteInline(result);
        bytesWaiter?.CompleteInline(count);
    }

    /// <summary>The connection has failed: what arrived before is still received.</summary>
    internal void OnFailed()
    {
        lock (_lock)
        {
            if (_state.IsClosed || _isEnded) return;
            if (_state.IsNew)
            {
                End();
                return;
            }

            _state.AnnounceEof();
            MarkReadable();
            ReceiveAhead();
            if (_pending != Kind.None) CompletePending();
        }
    }

    /// <summary>
    /// Another descriptor is put in the place of this one, and gets what was received and not read. It has an end of its own, in front of
    /// the one that may have been received.
    /// </summary>
    internal void Replace(Action<byte[]> replace)
    {
        lock (_lock)
        {
            if (_state.IsClosed) return;
            replace(Buffer.Data.ToArray());
            Buffer.Consume(Buffer.Length);
            _examined = 0;
            if (_connection.HasFailed) return;
            bool isEofAnnounced = _state.IsEofAnnounced;
            _isEnded = false;
            _state = new StreamState();
            _state.Register();
            if (isEofAnnounced) _state.AnnounceEof();
            MarkReadable();
        }
    }

    /// <summary>Nothing more is received. What has been can still be read, unless the connection was aborted.</summary>
    internal void Close(bool isAborted)
    {
        lock (_lock)
        {
            if (_state.IsClosed) return;
            _state.Close();
            _isEnded = true;
            _isAborted = isAborted;
            CompletePending();
        }
    }

    /// <summary>Ends the wait of the pending read with an error, if it is that of this waiter.</summary>
    private void CancelPending<T>(Waiter<T> waiter, Exception error)
    {
        lock (_lock)
        {
            object? pending = _pending switch { Kind.Buffer => _waiter, Kind.Bytes => _bytesWaiter, _ => null };
            if (pending == waiter) FailPending(error);
        }
    }

    private void FailPending(Exception error)
    {
        Kind pending = _pending;
        EndPending();
        if (pending == Kind.Buffer) _waiter!.Fail(error);
        else if (pending == Kind.Bytes) _bytesWaiter!.Fail(error);
    }

    private void EndPending()
    {
        _pending = Kind.None;
        _target = default;
    }

    /// <summary>Completes the pending read, if there is anything for it. Its awaiter runs elsewhere.</summary>
    private void CompletePending()
    {
        Exception? error = null;
        if (_pending == Kind.Buffer && TryTake(out ReadResult result, out error))
        {
            EndPending();
            if (error is null) _waiter!.Complete(result);
            else _waiter!.Fail(error);
        }
        else if (_pending == Kind.Bytes && TryTakeBytes(_target, out int count, out error))
        {
            EndPending();
            if (error is null) _bytesWaiter!.Complete(count);
            else _bytesWaiter!.Fail(error);
        }
    }

    /// <summary>There is a read to be completed, and <see cref="Resume"/> is to run where the application's code does.</summary>
    private bool MustResume()
    {
        bool isReady = _state.IsReadable || HasUnexamined || _isEnded;
        if (_pending == Kind.None || _isResumeQueued || !isReady) return false;
        _isResumeQueued = _pending == Kind.Buffer ? !_waiter!.PrefersLoop : !_bytesWaiter!.PrefersLoop;
        if (!_isResumeQueued) CompletePending();
        return _isResumeQueued;
    }

    private void MarkReadable()
    {
        _state.MarkReadable();
        _connection.OnReadable(_state.IsEofAnnounced);
    }

    /// <summary>Receives until there is something that has not been examined.</summary>
    private void Receive()
    {
        while (!HasUnexamined && IsReceivable) ReceiveOnce(GetSpace());
    }

    /// <summary>Receives to find EOF, which has been announced, as far as the buffer may grow without a reader.</summary>
    private void ReceiveAhead()
    {
        while (IsReceivable && Buffer.Length < MostAhead)
        {
            // Lent memory must not be moved, but what is behind it is free.
            int least = Math.Max(1, _connection.LargestMessage);
            if (_loan != Loan.None && Buffer.Room < least) return;
            ReceiveOnce(_loan == Loan.None ? GetSpace() : Buffer.GetSpace(least, least));
        }
    }

    private Memory<byte> GetSpace() =>
        Buffer.GetSpace(Math.Max(_connection.LargestMessage, SmallestReceive), Math.Max(_connection.LargestMessage, _chunk));

    private void ReceiveOnce(Memory<byte> space)
    {
        int room = space.Length;
        if (ReceiveInto(space) is not (> 0 and int count)) return;
        Buffer.Commit(count);
        _chunk = count == room
            ? Math.Min(LargestChunk, Math.Max(room, _chunk) * 2)
            : Math.Max(SmallestChunk, count < _chunk / 4 ? _chunk / 2 : _chunk);
    }

    /// <summary>One receive. Its error, or EOF, ends the input.</summary>
    private int? ReceiveInto(Memory<byte> space)
    {
        int? count;
        try
        {
            count = _reads.ReceiveInto(_connection, ref _state, space);
        }
        catch (Exception error)
        {
            _connection.Settle(error);
            End();
            return null;
        }

        if (count > 0) _connection.Output.ExpectAnswer();
        else if (count == 0 || _connection.HasFailed) End();
        return count;
    }

    /// <summary>The input has ended: by EOF or, once the connection has failed, because nothing is left before the error.</summary>
    private void End()
    {
        if (_isEnded) return;
        _isEnded = true;
        if (!_connection.HasFailed) _state.ReceiveEof();
        else _state.ClearReadable();
        Buffer.Trim();
        _connection.OnInputEnded();
    }

    /// <summary>
    /// The reader has completed. Unread data would turn the close into a reset, and the peer could lose the last of ours.
    /// </summary>
    private void Discard()
    {
        if (!_connection.IsDraining) return;
        byte[] dropped = System.Buffers.ArrayPool<byte>.Shared.Rent(LargestChunk);
        while (IsReceivable && ReceiveInto(dropped) > 0)
        {
        }

        System.Buffers.ArrayPool<byte>.Shared.Return(dropped);
    }

    /// <summary>The connection is about to close in an orderly way.</summary>
    internal void BeginDrain()
    {
        lock (_lock)
            if (!_state.IsClosed) Discard();
    }
}
