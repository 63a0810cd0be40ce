using Waterspout.Diagnostics;

namespace Waterspout.Loop;

/// <summary>The handlers that users have added for descriptors of their own. From any thread.</summary>
/// <remarks>
/// One that is removed has no calls from then on. Its registration is the loop's, who ends it as soon as it comes to that: before the number of the
/// descriptor is registered anew, at the latest, since the poller knows descriptors by their numbers.
/// </remarks>
internal sealed class DescriptorHandlers
{
    private readonly Lock _lock = new();
    private readonly Dictionary<int, DescriptorHandler> _handlers = [];
    private readonly Queue<DescriptorHandler> _removed = [];
    private volatile bool _hasRemoved;

    /// <summary>False where the descriptor has a handler.</summary>
    internal bool TryAdd(DescriptorHandler handler)
    {
        lock (_lock) return _handlers.TryAdd(handler.Fd, handler);
    }

    internal DescriptorHandler? Find(int fd)
    {
        lock (_lock) return _handlers.GetValueOrDefault(fd);
    }

    /// <summary>False where the descriptor has none.</summary>
    internal bool Remove(int fd)
    {
        lock (_lock)
        {
            if (!_handlers.Remove(fd, out DescriptorHandler? handler)) return false;
            handler.IsRemoved = true;
            _removed.Enqueue(handler);
            return _hasRemoved = true;
        }
    }

    /// <summary>It could not be registered.</summary>
    internal void Forget(DescriptorHandler handler)
    {
        lock (_lock)
            if (_handlers.GetValueOrDefault(handler.Fd) == handler) _handlers.Remove(handler.Fd);
    }

    /// <summary>The next one whose registration is to be ended; null where there is none.</summary>
    internal DescriptorHandler? TakeRemoved()
    {
        if (!_hasRemoved) return null;
        lock (_lock)
        {
            DescriptorHandler removed = _removed.Dequeue();
            _hasRemoved = _removed.Count > 0;
            return removed;
        }
    }
}

/// <summary>A user's handler for one descriptor.</summary>
internal sealed class DescriptorHandler(int fd, Action<int, IOEvents> handler) : IReadinessHandler, ICaller
{
    private volatile bool _isRemoved;

    public Delegate Function => handler;

    internal int Fd => fd;

    /// <summary>None before the loop has come to it, and after its end. On the loop only.</summary>
    internal Registration Registration { get; set; }

    /// <summary>What is waited for. On the loop only, once the handler is added.</summary>
    internal IOEvents Events { get; set; }

    internal bool IsRemoved
    {
        get => _isRemoved;
        set => _isRemoved = value;
    }

    public void HandleEvents(IOEvents events)
    {
        if (!_isRemoved) handler(fd, events);
    }

    public void EndWithLoop()
    {
    }
}
