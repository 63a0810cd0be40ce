namespace Waterspout.Duplex;

// How data gets into the buffer, and when there is no more of it.
internal sealed partial class ConnectionInput
{
    private bool IsReceivable => _state.IsReadable && !_isEnded;

    /// <summary>The descriptor is registered with the poller. On the loop's thread.</summary>
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
        if (ReceiveInto(space) is not (> 0 and int count))
        {
            // What waits with an empty buffer holds no memory.
            if (Buffer.Length == 0) Buffer.Release();
            return;
        }

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

        if (count is not > 0 && (count == 0 || _connection.HasFailed)) End();
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
