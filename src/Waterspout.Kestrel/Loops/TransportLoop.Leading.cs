using System.Diagnostics;
using Waterspout.Loop;

namespace Waterspout.Kestrel.Loops;

// Who runs the loop, and how: see the theory at the head of the class.
internal sealed partial class TransportLoop
{
    // Longer than nearly every request that only computes, much shorter than what blocks.
    private static readonly long s_long = Stopwatch.Frequency / 5000; // 200 us

    // A leader makes way for other work of the pool from time to time.
    private static readonly long s_leading = Stopwatch.Frequency / 66; // 15 ms

    // How often the parked thread looks. A connection waits at most twice as long for one that blocks.
    private const int Look = 2; // milliseconds

    // How many looks find a queued leader not begun before the thread does without: 10 ms, more than a busy pool takes as a rule.
    private const int LooksForLeader = 5;

    private readonly object _parking = new();
    private Lease _lease;
    private Leader _leader; // guarded by _parking
    private volatile bool _isOverdue; // the pool has not begun a leader that is not awaited any more
    private FanOutPeriod _fanOut;
    private bool _hasQueuedInVain; // the leader's
    private long _ledFrom; // the lease's number when the last leader began
    private bool _wasLedForOne; // the last leader found one piece of work and no more
    private int _aloneSince; // pieces of work that came alone after it

    private enum Leader : byte
    {
        None,
        Queued,
        Leads,
    }

    private bool MustFanOut => !_mayLead || _isOverdue || !_fanOut.IsOver(Stopwatch.GetTimestamp());

    /// <summary>The loop's thread.</summary>
    private void RunThread()
    {
        while (!_isStopping)
        {
            HandleEvents(WaitForEvents());
            if (IsLeaderWorthIt() && !MustFanOut) BeLed();
            FanOut();
            RunCallbacks();
        }

        End();
    }

    /// <summary>A worker of the pool leads.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        if (BeginToLead() is not { } lease) return;
        long begun = Stopwatch.GetTimestamp();
        while (true)
        {
            if (!RunWork(lease, out long now)) return;
            RunCallbacks();
            HandleEvents(_poller.Wait(0));
            if (_isStopping || MustFanOut || !MayFindMore()) break;
            if (_work.Count > 0 && now - begun < s_leading) continue;
            lock (_parking) QueueLeader();
            return;
        }

        _wasLedForOne = lease.Sequence - _ledFrom <= 1;
        lock (_parking)
        {
            _leader = Leader.None;
            Monitor.Pulse(_parking);
        }
    }

    /// <summary>The right to lead. Null if the thread has not waited for it: the pool had no thread for too long.</summary>
    private Lease? BeginToLead()
    {
        lock (_parking)
        {
            _isOverdue = false;
            if (_leader != Leader.Queued) return null;
            _leader = Leader.Leads;
            return _lease;
        }
    }

    private void QueueLeader()
    {
        _leader = Leader.Queued;
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>
    /// There is work, or what the pool has queued may bring some: an answer that it sends is often followed by a request. The leader then
    /// queues behind it, but only once: other leaders count as queued work too.
    /// </summary>
    private bool MayFindMore()
    {
        _hasQueuedInVain = _work.Count == 0 && !_hasQueuedInVain && ThreadPool.PendingWorkItemCount > 0;
        return _work.Count > 0 || _hasQueuedInVain;
    }

    /// <summary>Has a worker lead, and waits until it returns the loop, or takes the loop from it.</summary>
    private void BeLed()
    {
        lock (_parking)
        {
            _ledFrom = _lease.Sequence;
            QueueLeader();
            long seen = 0;
            int looks = 0;
            while (_leader != Leader.None)
            {
                if (Monitor.Wait(_parking, Look)) continue;
                long sequence = _lease.Sequence;
                looks = sequence == seen ? looks + 1 : 1;
                seen = sequence;
                if (_leader == Leader.Queued) WithdrawLeader(looks);
                else if (looks > 1) TakeOver();
            }
        }
    }

    /// <summary>
    /// Where the pool has no thread, application code cannot run; but sends and closes need none. Until the pool has begun this leader, there
    /// is no other one.
    /// </summary>
    private void WithdrawLeader(int looks)
    {
        if (looks < LooksForLeader) return;
        _leader = Leader.None;
        _isOverdue = true;
    }

    /// <summary>Takes the loop from a leader whose application code has not returned.</summary>
    private void TakeOver()
    {
        if (!_lease.IsInUserCode || !_lease.TryRevoke()) return;
        _lease = new Lease(this);
        _leader = Leader.None;
        _fanOut.Begin(Stopwatch.GetTimestamp());
    }

    /// <summary>Runs connection after connection. False if the loop was taken away.</summary>
    private bool RunWork(Lease lease, out long now)
    {
        now = Stopwatch.GetTimestamp();
        while (_work.TryDequeue(out IThreadPoolWorkItem? work))
        {
            if (!lease.Run(work)) return false;
            long begun = now;
            now = Stopwatch.GetTimestamp();
            if (now - begun <= s_long) continue;
            _fanOut.Begin(now);
            FanOut();
        }

        return true;
    }

    /// <summary>
    /// There is more than one piece of work, or the last leader found more. Otherwise every sixteenth piece has a leader, to see whether that is
    /// still so. With one connection this serves 11,800 requests for a second of CPU time; with a leader for each request it was 8,400.
    /// </summary>
    private bool IsLeaderWorthIt() => _work.Count > 1 || (_work.Count == 1 && (!_wasLedForOne || ++_aloneSince % 16 == 0));

    /// <summary>Makes each connection with something to do a work item of the pool.</summary>
    private void FanOut()
    {
        while (_work.TryDequeue(out IThreadPoolWorkItem? work)) ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: false);
    }

    private void HandleEvents(int count)
    {
        for (int i = 0; i < count; i++)
        {
            (ulong token, IOEvents events) = _poller.GetReport(i);
            // Looked up only now: an earlier event in the batch may have closed it.
            _registrations.Find(token)?.HandleEvents(events);
        }
    }

    private void RunCallbacks()
    {
        if (_callbacks.IsEmpty) return;
        foreach (LoopCallback callback in _callbacks.TakeAll()) callback.Invoke();
        _callbacks.ForgetTaken();
    }

    private int WaitForEvents()
    {
        // Announce, then check: a call that is queued after the check finds the announcement, and wakes the loop.
        Volatile.Write(ref _isWoken, 0);
        Volatile.Write(ref _isWaiting, true);
        Interlocked.MemoryBarrier();
        int events = _poller.Wait(_callbacks.IsEmpty && _work.Count == 0 && !_isStopping ? -1 : 0);
        Volatile.Write(ref _isWaiting, false);
        return events;
    }
}
