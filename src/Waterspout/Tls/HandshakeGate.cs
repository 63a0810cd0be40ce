using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Waterspout.Tls;

/// <summary>Bounds the number of handshakes of a loop that are under way, separately for its clients and its servers.</summary>
/// <remarks>
/// <para>Each of them holds 50 to 100 KB outside of the managed heap. A handshake that waits at the gate holds nothing: what its client has
/// sent is in the kernel.</para>
/// <para>Client handshakes enter in order of arrival. Of a server's handshakes the newest and the oldest enter alternately: after a flood,
/// the newest client is the one most likely to be still connected, and the oldest must not wait for ever.</para>
/// <para>Clients that say hello and nothing else could hold a server's places, each as long as the time limit allows. So while others wait,
/// a client that has not answered the server's flight for <see cref="s_patience"/> is dropped, the oldest first.</para>
/// </remarks>
internal sealed class HandshakeGate(IOLoop loop, bool isServer)
{
    // More than a round trip takes, even by satellite or with a lost packet.
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(500);

    // Separate: if both sides are on one loop, they wait for each other.
    private static readonly ConditionalWeakTable<IOLoop, HandshakeGate> s_ofClients = [];
    private static readonly ConditionalWeakTable<IOLoop, HandshakeGate> s_ofServers = [];

    private readonly LinkedList<Handshake> _waiting = [];
    private readonly LinkedList<(Handshake Handshake, long Since)> _answered = [];
    private IDisposable? _timer;
    private bool _isAdmissionQueued;
    private bool _isNewestNext = true;

    /// <summary>The number of handshakes that have a place.</summary>
    internal int Inside { get; private set; }

    /// <summary>The number of handshakes that wait for one.</summary>
    internal int Waiting => _waiting.Count;

    /// <summary>The gate of a loop's streams, for one of the two sides.</summary>
    internal static HandshakeGate Of(IOLoop loop, bool isServer) => isServer
        ? s_ofServers.GetValue(loop, static loop => new HandshakeGate(loop, isServer: true))
        : s_ofClients.GetValue(loop, static loop => new HandshakeGate(loop, isServer: false));

    /// <summary>Takes a place, or waits for one: <see cref="Handshake.Enter"/> is called when there is room.</summary>
    internal bool TryEnter(Handshake handshake)
    {
        if (_waiting.Count == 0 && Inside < handshake.MaxHandshakes)
        {
            Inside++;
            return true;
        }

        handshake.Waiting = _waiting.AddLast(handshake);
        loop.Counters.HandshakesWaiting++;
        MakeRoom();
        return false;
    }

    /// <summary>A handshake with a place has sent its first flight, and waits for the peer's.</summary>
    internal void OnAnswered(Handshake handshake)
    {
        if (!isServer || handshake.Answered is not null) return;
        handshake.Answered = _answered.AddLast((handshake, Stopwatch.GetTimestamp()));
        // The waiting ones may have come earlier, and no more may come.
        if (_waiting.Count > 0) MakeRoom();
    }

    /// <summary>A handshake has ended, whether it had a place or waited.</summary>
    internal void Leave(Handshake handshake)
    {
        if (handshake.Waiting is { } waiting)
        {
            handshake.Waiting = null;
            _waiting.Remove(waiting);
            loop.Counters.HandshakesWaiting--;
            return;
        }

        if (handshake.Answered is { } answered)
        {
            handshake.Answered = null;
            _answered.Remove(answered);
        }

        Inside--;
        AdmitLater();
    }

    // Not at once: a handshake that fails when it enters leaves again, which would recurse.
    private void AdmitLater()
    {
        if (_isAdmissionQueued || _waiting.Count == 0) return;
        _isAdmissionQueued = loop.TryPost(this, static gate => gate.Admit());
    }

    private void Admit()
    {
        _isAdmissionQueued = false;
        while (Next() is { } next && Inside < next.Value.MaxHandshakes)
        {
            _waiting.Remove(next);
            loop.Counters.HandshakesWaiting--;
            next.Value.Waiting = null;
            _isNewestNext = !_isNewestNext;
            Inside++;
            next.Value.Enter();
        }

        MakeRoom();
    }

    private LinkedListNode<Handshake>? Next() => isServer && _isNewestNext ? _waiting.Last : _waiting.First;

    /// <summary>Drops the oldest handshakes whose peers do not answer, as many as there are waiting.</summary>
    private void MakeRoom()
    {
        int wanted = _waiting.Count;
        for (LinkedListNode<(Handshake Handshake, long Since)>? node = _answered.First; node is not null && wanted > 0;)
        {
            (Handshake handshake, long since) = node.Value;
            TimeSpan rest = s_patience - Stopwatch.GetElapsedTime(since);
            if (rest > TimeSpan.Zero)
            {
                _timer ??= loop.CallLater(rest, Ring);
                return;
            }

            node = node.Next;
            if (!handshake.IsWaitingForPeer) continue;
            wanted--;
            handshake.GiveUp(s_patience);
        }
    }

    private void Ring()
    {
        _timer = null;
        MakeRoom();
    }
}
