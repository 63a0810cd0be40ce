using Waterspout.Diagnostics;
using Waterspout.Interop;

namespace Waterspout.Loop;

/// <summary>The handlers that users have added for their own descriptors. May be used from any thread.</summary>
/// <remarks>
/// A removed handler gets no calls from then on. The loop ends its registration as soon as it can, at the latest before the descriptor's
/// number is registered again, since the poller identifies descriptors by their numbers.
/// </remarks>
internal sealed class DescriptorHandlers
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Descriptor, DescriptorHandler> _handlers = [];
    private readonly Queue<DescriptorHandler> _removed = [];
    private volatile bool _hasRemoved;

    /// <summary>False if the descriptor already has a handler.</summary>
    internal bool TryAdd(DescriptorHandler handler)
    {
        lock (_lock) return _handlers.TryAdd(handler.Fd, handler);
    }

    internal DescriptorHandler? Find(Descriptor fd)
    {
        lock (_lock) return _handlers.GetValueOrDefault(fd);
    }

    /// <summary>False if the descriptor has none.</summary>
    internal bool Remove(Descriptor fd)
    {
        lock (_lock)
        {
            if (!_handlers.Remove(fd, out DescriptorHandler? handler)) return false;
            handler.IsRemoved = true;
            _removed.Enqueue(handler);
            return _hasRemoved = true;
        }
    }

    /// <summary>Removes a handler that could not be registered.</summary>
    internal void Forget(DescriptorHandler handler)
    {
        lock (_lock)
            if (_handlers.GetValueOrDefault(handler.Fd) == handler) _handlers.Remove(handler.Fd);
    }

    /// <summary>The next handler whose registration is to be ended; null if there is none.</summary>
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
internal sealed class DescriptorHandler(Descriptor fd, Action<int, IOEvents> handler) : IReadinessHandler, ICaller
{
    private volatile bool _isRemoved;

    public Delegate Function => handler;

    internal Descriptor Fd => fd;

    /// <summary>None before the loop has registered it, and after its end. Used on the loop only.</summary>
    internal Registration Registration { get; set; }

    /// <summary>The events that are waited for. Used on the loop only, once the handler is added.</summary>
    internal IOEvents Events { get; set; }

    internal bool IsRemoved
    {
        get => _isRemoved;
        set => _isRemoved = value;
    }

    public void HandleEvents(IOEvents events)
    {
        if (!_isRemoved) handler(fd.Number, events);
    }

    public void EndWithLoop()
    {
    }
}
