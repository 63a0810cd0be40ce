using System.Diagnostics;
using System.Runtime.CompilerServices;
using Waterspout.Loop;

namespace Waterspout.Tls;

/// <summary>The threads that compute handshakes: one per core, and more while they are blocked.</summary>
/// <remarks>
/// <para>Not the thread pool: a program whose own work blocks it would accept no more TLS connections. And not the loop: a handshake takes
/// up to milliseconds of cryptography, and may call user code that chooses and validates certificates.</para>
/// <para>It cannot be observed whether a thread computes or is blocked, in user code or because the platform fetches a certificate. But a
/// step that only computes is over within milliseconds. So one thread more than there are cores waits, and takes a step if none has been
/// taken for a while although some are queued. Threads that have been idle for long end.</para>
/// <para>There is no synchronization context here: under one, SslStream's internal awaits would continue on the thread pool.</para>
/// </remarks>
internal sealed class HandshakeWorkers(int cores, int maxThreads)
{
    // Each holds a megabyte of address space and some pages. If more callbacks than this are blocked, the callbacks are at fault.
    private const int MaxBlocked = 64;

    // Longer than the longest step (an RSA key of 4096 bits: 5 ms), and so short that it takes a second to start threads beside the maximum
    // number of blocked ones.
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(20);

    private static readonly TimeSpan s_idleTime = TimeSpan.FromSeconds(10);

    private readonly object _lock = new(); // not a Lock, since that cannot be waited on
    private readonly Queue<IThreadPoolWorkItem> _first = [];
    private readonly Queue<IThreadPoolWorkItem> _later = [];
    private int _threads;
    private int _idle; // including those that are being started
    private bool _isWatched; // one of the idle ones watches the time
    private long _lastTaken;

    /// <summary>The workers of the process.</summary>
    internal static HandshakeWorkers Shared { get; } = new(Environment.ProcessorCount, Environment.ProcessorCount + MaxBlocked);

    internal int MaxThreads => maxThreads;

    private bool IsEmpty => _first.Count + _later.Count == 0;

    private bool IsCoreFree => _threads - _idle < cores;

    /// <summary>
    /// Queues a step. Steps of handshakes that have begun go before first steps: their peers have answered, so they are real.
    /// </summary>
    internal void Add(IThreadPoolWorkItem step, bool isFirst)
    {
        lock (_lock)
        {
            // Nothing is late while nothing is queued.
            if (IsEmpty) _lastTaken = Stopwatch.GetTimestamp();
            (isFirst ? _first : _later).Enqueue(step);
            CallThread();
        }
    }

    /// <summary>Makes sure that a thread takes the queued step, or, while every core is busy, that one watches the time.</summary>
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

    // A separate frame for each step: in the thread's own frame, the last step would stay alive while it waits for the next.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TakeAndExecute()
    {
        if (Take() is not { } step) return false;
        step.Execute();
        lock (_lock) _idle++;
        return true;
    }

    /// <summary>Waits for a step. Null if the thread has been idle for long enough.</summary>
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
            // Before it is needed: when every thread is blocked, none can notice that one is missing.
            if (!IsEmpty) CallThread();
            return step;
        }
    }
}
