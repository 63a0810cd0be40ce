using Waterspout.Interop;
using Waterspout.Loop;
using Waterspout.Polling;

namespace Waterspout;

public sealed partial class IOLoop
{
    private readonly DescriptorHandlers _handlers = new();

    /// <summary>
    /// Calls <paramref name="handler"/> on the loop whenever <paramref name="fd"/> is ready for one of <paramref name="events"/>,
    /// repeatedly as long as it stays ready (level-triggered). May be called from any thread.
    /// </summary>
    /// <param name="fd">Any descriptor that can be polled. The caller still owns it, and removes the handler before closing it.</param>
    /// <param name="events">What to wait for. Errors are always reported.</param>
    /// <param name="handler">
    /// Called with the descriptor and what it is ready for. If it throws, that is logged, and it is called again.
    /// </param>
    /// <exception cref="ArgumentException">The descriptor cannot be polled (a regular file, for example).</exception>
    /// <exception cref="ArgumentOutOfRangeException">The descriptor is negative, or there is no such event.</exception>
    /// <exception cref="InvalidOperationException">The descriptor already has a handler.</exception>
    /// <exception cref="ObjectDisposedException">The loop has been disposed.</exception>
    public void AddHandler(int fd, IOEvents events, Action<int, IOEvents> handler)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fd);
        CheckEvents(events);
        ArgumentNullException.ThrowIfNull(handler);
        Descriptor descriptor = new(fd);
        ThrowIfNotPollable(descriptor);
        ThrowIfEnded();
        DescriptorHandler added = new(descriptor, handler) { Events = events };
        if (!_handlers.TryAdd(added)) throw new InvalidOperationException($"Descriptor {fd} has a handler already.");
        Invoke((Loop: this, added), static call => call.Loop.Register(call.added));
    }

    /// <summary>Changes what the handler of <paramref name="fd"/> waits for. May be called from any thread.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such event.</exception>
    /// <exception cref="InvalidOperationException">The descriptor has no handler.</exception>
    /// <exception cref="ObjectDisposedException">The loop has been disposed.</exception>
    public void UpdateHandler(int fd, IOEvents events)
    {
        CheckEvents(events);
        ThrowIfEnded();
        DescriptorHandler handler = _handlers.Find(new Descriptor(fd)) ?? throw new InvalidOperationException($"Descriptor {fd} has no handler.");
        Invoke((Loop: this, handler, events), static call =>
        {
            call.handler.Events = call.events;
            if (!call.handler.IsRemoved && !call.handler.Registration.IsNone) call.Loop.Modify(call.handler.Registration, call.events);
        });
    }

    /// <summary>
    /// Stops calling the handler of <paramref name="fd"/>: after this returns no call begins, and the descriptor may be closed. Does
    /// nothing if there is no handler. May be called from any thread; a call that has already begun on the loop continues.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The loop has been disposed.</exception>
    public void RemoveHandler(int fd)
    {
        ThrowIfEnded();
        if (_handlers.Remove(new Descriptor(fd))) Invoke(this, static loop => loop.EndRemovedHandlers());
    }

    private static void CheckEvents(IOEvents events)
    {
        const IOEvents All = IOEvents.Read | IOEvents.Priority | IOEvents.Write | IOEvents.Error | IOEvents.HangUp | IOEvents.ReadClosed;
        if ((events & ~All) != 0) throw new ArgumentOutOfRangeException(nameof(events), events, "There is no such event.");
    }

    /// <summary>
    /// Throws for a descriptor that is always ready. May be called from any thread, so that the caller's own call throws.
    /// </summary>
    internal void ThrowIfNotPollable(Descriptor fd)
    {
        lock (_wakeGuard)
            if (!_isPollerGone) _poller.Probe(fd);
    }

    /// <summary>Registers a stream: edge-triggered, for everything, permanently. On the loop's thread only.</summary>
    /// <remarks>
    /// One without a descriptor is noted as well, for its root, the counters and the end of the loop; it is not registered with the poller.
    /// </remarks>
    internal Registration Register(Descriptor fd, IReadinessHandler stream)
    {
        Registration registration = _registrations.Add(fd, stream, isWeak: true);
        return !fd.IsOpen ? registration : Register(fd, registration, EdgeEvents.All, edgeTriggered: true);
    }

    /// <summary>Registers a level-triggered handler. On the loop's thread only.</summary>
    internal Registration Register(Descriptor fd, IReadinessHandler handler, IOEvents events) =>
        Register(fd, _registrations.Add(fd, handler, isWeak: false), events, edgeTriggered: false);

    internal void Unregister(Registration registration)
    {
        Descriptor fd = _registrations.FdOf(registration);
        if (_registrations.Remove(registration) && fd.IsOpen) _poller.Remove(fd);
    }

    internal void Modify(Registration registration, IOEvents events) =>
        _poller.Modify(_registrations.FdOf(registration), registration.Token, events);

    /// <summary>Roots a registered stream, or, with null, removes the root.</summary>
    internal void SetRoot(Registration registration, IReadinessHandler? stream) => _registrations.SetRoot(registration, stream);

    /// <summary>A stream found its descriptor not ready, and waits for the event that says it is.</summary>
    internal void Rearm(Registration registration, IOEvents events, DescriptorTraits traits)
    {
        Descriptor fd = _registrations.FdOf(registration);
        if (fd.IsOpen) _poller.Rearm(fd, registration.Token, events, traits);
    }

    private void Register(DescriptorHandler handler)
    {
        if (handler.IsRemoved) return;
        try
        {
            handler.Registration = Register(handler.Fd, handler, handler.Events);
        }
        catch
        {
            _handlers.Forget(handler);
            throw;
        }
    }

    /// <summary>Removes the descriptors of removed handlers from the poller, whichever thread removed them.</summary>
    private void EndRemovedHandlers()
    {
        while (_handlers.TakeRemoved() is { } handler)
        {
            if (!handler.Registration.IsNone) Unregister(handler.Registration);
            handler.Registration = default;
        }
    }

    private Registration Register(Descriptor fd, Registration registration, IOEvents events, bool edgeTriggered)
    {
        try
        {
            // The number may be that of a descriptor whose handler another thread has removed, and which is closed by now.
            EndRemovedHandlers();
            _poller.Add(fd, registration.Token, events, edgeTriggered);
            return registration;
        }
        catch
        {
            _registrations.Remove(registration);
            throw;
        }
    }

    // Code that runs at the end of the loop may still call.
    private void ThrowIfEnded() => ObjectDisposedException.ThrowIf(_isDisposed && !IsCurrent, this);

    private void Invoke<T>(T state, Action<T> function) => ObjectDisposedException.ThrowIf(!TryInvoke(state, function), this);
}
