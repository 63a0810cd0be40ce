using Waterspout.Loop;

namespace Waterspout;

public abstract partial class BaseIOStream
{
    /// <summary>
    /// There is no connection yet, so reads and writes wait for one; or the stream has closed without one. May be read from any thread.
    /// </summary>
    /// <remarks>Over TLS, and in any class that has a handshake, the connection is there when the handshake is done.</remarks>
    protected bool IsConnecting => _state.IsConnecting;

    /// <summary>The stream was created before its connection.</summary>
    private protected void AwaitPeer() => _state.AwaitPeer();

    /// <summary>There is a connection now, unless the stream has closed meanwhile.</summary>
    private protected void MarkConnected() => _state.Connect();

    /// <summary>While there is no connection: one is being made.</summary>
    private protected virtual bool WillConnect => false;

    /// <summary>The descriptor has become writable, or failed, while connecting.</summary>
    private protected virtual void HandleConnect()
    {
    }

    /// <summary>Called on the loop with what the poller reports, before the stream acts on it.</summary>
    /// <param name="events">What has been reported.</param>
    /// <remarks>
    /// For a class whose hooks do more than pass data on, such as one that encrypts: it may receive more than a read asked for, or have
    /// data of its own to send. Call the base class's method. Called while there is no connection too.
    /// </remarks>
    protected virtual void OnEvents(IOEvents events)
    {
    }

    /// <summary>
    /// Makes the poller report when the descriptor is ready, after a call on it that would have blocked without its hook's returning null.
    /// </summary>
    /// <param name="events">For which the call would have blocked. Reported to <see cref="OnEvents"/>.</param>
    /// <remarks>Called on the loop. Where the hook returns null, the stream does this by itself.</remarks>
    protected void AwaitReadiness(IOEvents events)
    {
        if (!_registration.IsNone) Loop.Rearm(_registration, events, Traits);
    }

    void IReadinessHandler.EndWithLoop() => Close();

    // A token that another thread takes is there before the call that roots the stream arrives.
    bool IReadinessHandler.NeedsRoot => HasWaiters && _closedSource is null;

    void IFlushable.FlushWrites() => FlushWrites();

    void IReadinessHandler.HandleEvents(IOEvents events) => HandleReport(events);

    /// <summary>The poller has reported something, or what stands for that.</summary>
    private void HandleReport(IOEvents events)
    {
        if (_state.IsClosed) return;
        OnEvents(events);
        HandleEvents(events);
    }

    private void HandleEvents(IOEvents events)
    {
        if (_state.IsClosed) return;
        if (IsConnecting)
        {
            if ((events & (IOEvents.Write | IOEvents.Error)) == 0) return;
            HandleConnect();
            if (_state.IsClosed || IsConnecting) return;
        }

        bool wasBlocked = !_state.IsWritable;
        // An error alone is not EOF: an error queue (timestamps, for example) reports itself the same way. HandleError checks.
        if ((events & (IOEvents.ReadClosed | IOEvents.HangUp)) != 0) _state.AnnounceEof();
        _state.Track(events);
        if (_writes.IsPaused) _state.ClearWritable();

        // Data first, then errors: what had arrived is read before the error is reported.
        ReceiveForRead();
        if (wasBlocked && _state.IsWritable) FlushWrites();
        if ((events & IOEvents.Error) != 0 && !_state.IsClosed) HandleError();
        if (_state.IsEofAnnounced) ProbeForEof();
        AfterUserCode();
    }

    /// <summary>Runs after all user code of an event.</summary>
    private void AfterUserCode()
    {
        _reads.Trim();
        UpdateRoot();
    }

    /// <summary>The poller has reported an error or a hang-up, and no read has met it.</summary>
    private void HandleError()
    {
        if (GetFdError() is { } error) Fail(error);
    }

}
