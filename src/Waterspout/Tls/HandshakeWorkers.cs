using System.Diagnostics;
using System.Runtime.CompilerServices;
using Waterspout.Loop;

namespace Waterspout.Tls;

/// <summary>The threads that compute handshakes: one a core, and more of them while they are blocked.</summary>
/// <remarks>
/// <para>Not the thread pool: a program whose own work blocks that would take no more TLS connections. And not the loop: a handshake takes up to
/// milliseconds of cryptography, and user code may choose and validate certificates in it.</para>
/// <para>Nobody can see whether a thread computes or is blocked, in user code or because the platform fetches a certificate. But a step that only
/// computes is over within milliseconds. So one thread more than there are cores waits, and takes a step where none has been taken for a while
/// though some are queued. Threads that have had nothing to do for long end.</para>
/// <para>No synchronization context here: under one, what SslStream awaits inside of itself would continue on the thread pool.</para>
/// </remarks>
internal sealed class HandshakeWorkers(int cores, int maxThreads)
{
    // Each holds a megabyte of address space and some pages. More blocked callbacks than this are a fault of the callbacks.
    private const int MaxBlocked = 64;

    // Longer than the longest step (a key of RSA with 4096 bits: 5 ms), and so short that it takes a second to get past as many blocked threads as
    // there may be.
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(20);

    private static readonly TimeSpan s_idleTime = TimeSpan.FromSeconds(10);

    private readonly object _lock = new(); // not a Lock, since that cannot be waited on
    private readonly Queue<IThreadPoolWorkItem> _first = [];
    private readonly Queue<IThreadPoolWorkItem> _later = [];
    private int _threads;
    private int _idle; // those included that are being started
    private bool _isWatched; // one of the idle ones looks at the time
    private long _lastTaken;

    /// <summary>Those of the process.</summary>
    internal static HandshakeWorkers Shared { get; } = new(Environment.ProcessorCount, Environment.ProcessorCount + MaxBlocked);

    internal int MaxThreads => maxThreads;

    private bool IsEmpty => _first.Count + _later.Count == 0;

    private bool IsCoreFree => _threads - _idle < cores;

    /// <summary>Queues a step. One of a handshake that has begun goes before those that begin: its peer has answered, so there is one.</summary>
    internal void Add(IThreadPoolWorkItem step, bool isFirst)
    {
        lock (_lock)
        {
            // Nothing was late as long as nothing was queued.
            if (IsEmpty) _lastTaken = Stopwatch.GetTimestamp();
            (isFirst ? _first : _later).Enqueue(step);
            CallThread();
        }
    }

    /// <summary>Sees to it that a thread takes what is queued, or watches whether the others do while every core is busy.</summary>
    private void CallThread()
    {
        if (_idle == 0) StartThread();
        else if (IsCoreFree || !_isWatched) Monitor.Pulse(_lock);
    }

    private void StartThread()
    {
        if (_threads == maxThreads) return;
        _threads++;
        _idle++;
        OwnThread.Start(Work, "Waterspout handshakes");
    }

    private void Work()
    {
        while (TakeAndExecute())
        {
        }
    }

    // A frame of its own for each step: in that of the thread the last one would be held while it waits for the next.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TakeAndExecute()
    {
        if (Take() is not { } step) return false;
        step.Execute();
        lock (_lock) _idle++;
        return true;
    }

    /// <summary>Waits for a step. Null when the thread has had nothing to do for long enough.</summary>
    private IThreadPoolWorkItem? Take()
    {
        lock (_lock)
        {
            while (IsEmpty || !IsCoreFree)
            {
                TimeSpan wait = IsEmpty ? s_idleTime : s_patience - Stopwatch.GetElapsedTime(_lastTaken);
                if (wait <= TimeSpan.Zero) break;
                _isWatched |= !IsEmpty;
                bool isCalled = Monitor.Wait(_lock, wait);
                if (wait != s_idleTime) _isWatched = false;
                if (isCalled || wait != s_idleTime || !IsEmpty) continue;
                _idle--;
                _threads--;
                return null;
            }

            _idle--;
            _lastTaken = Stopwatch.GetTimestamp();
            IThreadPoolWorkItem step = _later.TryDequeue(out IThreadPoolWorkItem? later) ? later : _first.Dequeue();
            // Before it is needed: when every thread is blocked, nobody sees that one is missing.
            if (!IsEmpty) CallThread();
            return step;
        }
    }
}
