namespace Waterspout;

/// <summary>Where a stream is in its life, as its loop sees it.</summary>
internal enum Life : byte
{
    /// <summary>Not registered with the poller yet.</summary>
    New,

    /// <summary>Accepts reads and writes.</summary>
    Open,

    /// <summary>An error has ended the writing side. What arrived before it is still being received.</summary>
    Failing,

    /// <summary>An orderly close is under way. It accepts no more calls; what was written is still being sent.</summary>
    Closing,

    /// <summary>The descriptor is closed. What had arrived can still be read.</summary>
    Closed,

    /// <summary>Another stream has taken over the descriptor and the received data.</summary>
    Moved,
}

/// <summary>How far the peer's side has come. This only goes up.</summary>
internal enum PeerEnd : byte
{
    /// <summary>There is no peer yet: no connection or, over TLS, no handshake that is done.</summary>
    NoPeer,

    /// <summary>The peer may send.</summary>
    None,

    /// <summary>The peer's EOF is known, or the descriptor has failed. There may be unread data before that.</summary>
    Announced,

    /// <summary>EOF has been received: nothing comes after it.</summary>
    Received,

    /// <summary>A read has returned EOF.</summary>
    Returned,
}

/// <summary>The end of this side, if it comes before the close.</summary>
internal enum WriteEnd : byte
{
    /// <summary>Accepts writes.</summary>
    Open,

    /// <summary>Accepts no more writes. What was written is still being sent.</summary>
    Ending,

    /// <summary>The end has been handed to the descriptor.</summary>
    Ended,
}

/// <summary>What can happen to a stream. Each is a method of <see cref="StreamState"/>.</summary>
internal enum Transition
{
    AwaitPeer,
    Register,
    Connect,
    AnnounceEof,
    ReceiveEof,
    ReturnEof,
    Fail,
    BeginClose,
    Close,
    Move,
    BeginWriteEnd,
    CompleteWriteEnd,
    CancelWriteEnd,
}
