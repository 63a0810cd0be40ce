namespace Waterspout.Loop;

/// <summary>Callbacks that wait for the loop, from any thread, in order of arrival.</summary>
/// <remarks>
/// One lock, held for a few instructions, guards a list that the loop swaps for an empty one at each turn. Uncontended, on the loop's own
/// thread, it takes 15 ns; a lock-free queue allocates segments and was not faster for batches.
/// </remarks>
internal sealed class CallbackQueue
{
    private readonly Lock _lock = new();
    private List<LoopCallback> _waiting = [];
    private List<LoopCallback> _running = [];
    private bool _isClosed;

    internal bool IsEmpty => Volatile.Read(ref _waiting).Count == 0;

    internal int Count => Volatile.Read(ref _waiting).Count;

    /// <summary>False if the loop has ended and will run nothing more.</summary>
    internal bool TryAdd(LoopCallback callback)
    {
        lock (_lock)
        {
            if (_isClosed) return false;
            _waiting.Add(callback);
            return true;
        }
    }

    /// <summary>
    /// The callbacks that wait now. Callbacks added from here on belong to the next turn, so that one that re-adds itself starves no other.
    /// </summary>
    internal List<LoopCallback> TakeAll()
    {
        lock (_lock)
            (_waiting, _running) = (_running, _waiting);
        return _running;
    }

    /// <summary>The taken callbacks have run.</summary>
    internal void ForgetTaken() => _running.Clear();

    /// <summary>Closes the queue, unless callbacks wait.</summary>
    internal bool TryClose()
    {
        lock (_lock)
            return _isClosed = _waiting.Count == 0;
    }

    /// <summary>Closes the queue. Waiting callbacks can still be taken.</summary>
    internal void Close()
    {
        lock (_lock) _isClosed = true;
    }
}
