using System.IO.Pipelines;

namespace Waterspout.Duplex;

// How a read that waits is completed: once, by the thread that finds it pending under the lock and ends that.
internal sealed partial class ConnectionInput
{
    /// <summary>
    /// Receives for the pending read, and completes it; its awaiter runs within this call, unless it has a context of its own.
    /// </summary>
    internal void Resume()
    {
        Waiter<ReadResult>? waiter;
        Waiter<int>? bytesWaiter;
        ReadResult result;
        int count;
        lock (_lock)
        {
            _isResumeQueued = false;
            if (!TryTakePending(out result, out count, out Exception? error)) return;
            if (error is not null)
            {
                FailPending(error);
                return;
            }

            waiter = _pending == Kind.Buffer ? _waiter : null;
            bytesWaiter = _pending == Kind.Bytes ? _bytesWaiter : null;
            EndPending();
        }

        waiter?.CompleteInline(result);
        bytesWaiter?.CompleteInline(count);
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
        if (!TryTakePending(out ReadResult result, out int count, out Exception? error)) return;
        if (error is not null)
        {
            FailPending(error);
            return;
        }

        Kind pending = _pending;
        EndPending();
        if (pending == Kind.Buffer) _waiter!.Complete(result);
        else _bytesWaiter!.Complete(count);
    }

    /// <summary>
    /// Takes for the pending read. A receive may find the end of a connection that has failed meanwhile, and so close it; the close
    /// completes the read, which is not pending then any more.
    /// </summary>
    private bool TryTakePending(out ReadResult result, out int count, out Exception? error)
    {
        (result, count, error) = (default, 0, null);
        bool isTaken = _pending switch
        {
            Kind.Buffer => TryTake(out result, out error),
            Kind.Bytes => TryTakeBytes(_target, out count, out error),
            _ => false,
        };
        return isTaken && _pending != Kind.None;
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
}
