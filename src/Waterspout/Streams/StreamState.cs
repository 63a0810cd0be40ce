using System.Diagnostics;

namespace Waterspout;

/// <summary>The state of a stream: its life, the peer's side, the end of this side, and what the descriptor is ready for.</summary>
/// <remarks>
/// <para>Theory of operation. These are four values, because they change independently. A close may begin while the connection is still
/// being made, so connecting is no part of the life: it is the first value of the peer's side. The peer may end its side long before this
/// side closes, and this side may end its writes long before either.</para>
/// <para>The legal transitions. What is not named does not matter, and does not change.</para>
/// <code>
/// transition        legal when                                             leads to
/// AwaitPeer         New, peer None                                         peer NoPeer
/// Register          New                                                    Open
/// Connect           Open or Closing, peer NoPeer                           peer None
/// AnnounceEof       Open, Failing or Closing, peer from None               peer Announced or later
/// ReceiveEof        Open, Failing or Closing, peer from None               peer Received or later; not readable
/// ReturnEof         not Moved, peer from Received                          peer Returned
/// Fail              Open, peer None or Announced                           Failing, peer Announced; readable
/// BeginClose        Open or Closing                                        Closing
/// Close             New, Open, Failing or Closing                          Closed; not ready
/// Move              New or Open, peer from None                            Moved; not ready
/// BeginWriteEnd     New or Open                                            write end Ending or later
/// CompleteWriteEnd  not Moved                                              write end Ended
/// CancelWriteEnd    not Moved, write end Open or Ending                    write end Open
/// </code>
/// <para>What follows from it: a stream that is New has no peer that has ended; one that is Failing, or has Moved, has had a peer; nothing
/// is readable after EOF; and a closed stream is ready for nothing.</para>
/// <para>Readiness is remembered, since the poller reports each change once. It is a guess until a call on the descriptor says
/// otherwise.</para>
/// <para>Changed on the loop's thread only. The life, the peer's side and the write end may be read on any thread.</para>
/// </remarks>
internal struct StreamState()
{
    private volatile Life _life;
    private volatile PeerEnd _peerEnd = PeerEnd.None;
    private volatile WriteEnd _writeEnd;
    private Readiness _ready = Readiness.Writable;

    [Flags]
    private enum Readiness : byte
    {
        None = 0,
        Readable = 1,
        Writable = 2,
    }

    internal readonly Life Life => _life;

    internal readonly PeerEnd PeerEnd => _peerEnd;

    internal readonly WriteEnd WriteEnd => _writeEnd;

    /// <summary>A receive may return data, or EOF.</summary>
    internal readonly bool IsReadable => (_ready & Readiness.Readable) != 0;

    /// <summary>A send may succeed.</summary>
    internal readonly bool IsWritable => (_ready & Readiness.Writable) != 0;

    /// <summary>There is no peer yet, so reads and writes wait for one. Stays true if the stream closes without one.</summary>
    internal readonly bool IsConnecting => _peerEnd == PeerEnd.NoPeer;

    internal readonly bool IsNew => _life == Life.New;

    internal readonly bool IsOpen => _life == Life.Open;

    internal readonly bool IsFailing => _life == Life.Failing;

    internal readonly bool IsClosing => _life == Life.Closing;

    internal readonly bool IsClosed => _life >= Life.Closed;

    internal readonly bool IsMoved => _life == Life.Moved;

    /// <summary>Nothing more is received for a read.</summary>
    internal readonly bool EndsReads => _life >= Life.Closing;

    /// <summary>No more writes are accepted, whatever the write end says.</summary>
    internal readonly bool EndsWrites => _life >= Life.Failing;

    /// <summary>What is unsent will not be sent.</summary>
    internal readonly bool HasDroppedWrites => _life is Life.Failing or >= Life.Closed;

    /// <summary>Written data can be sent.</summary>
    internal readonly bool CanSend => _life is Life.Open or Life.Closing && _peerEnd != PeerEnd.NoPeer;

    internal readonly bool IsEofAnnounced => _peerEnd >= PeerEnd.Announced;

    internal readonly bool IsEofReceived => _peerEnd >= PeerEnd.Received;

    internal readonly bool IsEofReturned => _peerEnd == PeerEnd.Returned;

    /// <summary>The middle column of the table above.</summary>
    internal readonly bool Allows(Transition transition) => transition switch
    {
        Transition.AwaitPeer => _life == Life.New && _peerEnd == PeerEnd.None,
        Transition.Register => _life == Life.New,
        Transition.Connect => _life is Life.Open or Life.Closing && _peerEnd == PeerEnd.NoPeer,
        Transition.AnnounceEof or Transition.ReceiveEof => _life is Life.Open or Life.Failing or Life.Closing && _peerEnd >= PeerEnd.None,
        Transition.ReturnEof => _life != Life.Moved && _peerEnd >= PeerEnd.Received,
        Transition.Fail => _life == Life.Open && _peerEnd is PeerEnd.None or PeerEnd.Announced,
        Transition.BeginClose => _life is Life.Open or Life.Closing,
        Transition.Close => _life < Life.Closed,
        Transition.Move => _life is Life.New or Life.Open && _peerEnd >= PeerEnd.None,
        Transition.BeginWriteEnd => _life < Life.Failing,
        Transition.CompleteWriteEnd => _life != Life.Moved,
        Transition.CancelWriteEnd => _life != Life.Moved && _writeEnd != WriteEnd.Ended,
        _ => false,
    };

    /// <summary>The stream was created before its connection.</summary>
    internal void AwaitPeer()
    {
        Check(Transition.AwaitPeer);
        _peerEnd = PeerEnd.NoPeer;
    }

    /// <summary>The descriptor is registered with the poller.</summary>
    internal void Register()
    {
        Check(Transition.Register);
        _life = Life.Open;
    }

    /// <summary>The connection is made, or the handshake done.</summary>
    internal void Connect()
    {
        Check(Transition.Connect);
        _peerEnd = PeerEnd.None;
    }

    /// <summary>The poller reports EOF of the peer.</summary>
    internal void AnnounceEof()
    {
        Check(Transition.AnnounceEof);
        RaisePeerEnd(PeerEnd.Announced);
    }

    /// <summary>A receive has returned EOF.</summary>
    internal void ReceiveEof()
    {
        Check(Transition.ReceiveEof);
        RaisePeerEnd(PeerEnd.Received);
        _ready &= ~Readiness.Readable;
    }

    /// <summary>A read has returned EOF.</summary>
    internal void ReturnEof()
    {
        Check(Transition.ReturnEof);
        RaisePeerEnd(PeerEnd.Returned);
    }

    /// <summary>The descriptor has failed. What arrived before the error is received until there is no more.</summary>
    internal void Fail()
    {
        Check(Transition.Fail);
        _life = Life.Failing;
        RaisePeerEnd(PeerEnd.Announced);
        _ready |= Readiness.Readable;
    }

    /// <summary>An orderly close begins.</summary>
    internal void BeginClose()
    {
        Check(Transition.BeginClose);
        _life = Life.Closing;
    }

    /// <summary>The stream closes now.</summary>
    internal void Close()
    {
        Check(Transition.Close);
        _life = Life.Closed;
        _ready = Readiness.None;
    }

    /// <summary>Another stream has taken over.</summary>
    internal void Move()
    {
        Check(Transition.Move);
        _life = Life.Moved;
        _ready = Readiness.None;
    }

    /// <summary>No more writes are accepted.</summary>
    internal void BeginWriteEnd()
    {
        Check(Transition.BeginWriteEnd);
        if (_writeEnd == WriteEnd.Open) _writeEnd = WriteEnd.Ending;
    }

    /// <summary>The descriptor has been shut down for writing.</summary>
    internal void CompleteWriteEnd()
    {
        Check(Transition.CompleteWriteEnd);
        _writeEnd = WriteEnd.Ended;
    }

    /// <summary>The descriptor cannot be closed in one direction, so it accepts writes again.</summary>
    internal void CancelWriteEnd()
    {
        Check(Transition.CancelWriteEnd);
        _writeEnd = WriteEnd.Open;
    }

    /// <summary>Remembers what the poller reports. An error may stop either direction, and is met there.</summary>
    internal void Track(IOEvents events)
    {
        if ((events & (IOEvents.Write | IOEvents.Error)) != 0) MarkWritable();
        if ((events & (IOEvents.Read | IOEvents.ReadClosed | IOEvents.Error)) != 0) MarkReadable();
    }

    /// <summary>A receive is worth a try, unless EOF has been received.</summary>
    internal void MarkReadable()
    {
        if (!IsClosed && !IsEofReceived) _ready |= Readiness.Readable;
    }

    /// <summary>A send is worth a try.</summary>
    internal void MarkWritable()
    {
        if (!IsClosed) _ready |= Readiness.Writable;
    }

    /// <summary>A receive would block.</summary>
    internal void ClearReadable() => _ready &= ~Readiness.Readable;

    /// <summary>A send would block.</summary>
    internal void ClearWritable() => _ready &= ~Readiness.Writable;

    private void RaisePeerEnd(PeerEnd end)
    {
        if (_peerEnd < end) _peerEnd = end;
    }

    [Conditional("DEBUG")]
    private readonly void Check(Transition transition) =>
        Debug.Assert(Allows(transition), $"{transition} is not legal in {_life}, peer {_peerEnd}, write end {_writeEnd}.");
}
