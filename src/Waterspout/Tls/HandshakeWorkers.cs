using System.Diagnostics;
using System.Runtime.CompilerServices;
using Waterspout.Loop;

namespace Waterspout.Tls;

/// <summary>The threads that compute handshakes: one per core, and more while they are blocked.</summary>
/// <remarks>
/// <para>Not the thread pool: a program whose own work blocks it would accept no more TLS connections. And not the loop: a handshake takes
/// up to milliseconds of cryptography, and may call user code that chooses and validates certificates.</para>
/// <para>A thread that is called has a core from then on, and keeps it as long as steps are queued: a burst of steps wakes one thread per
/// core, once. The last one to become idle is called first.</para>
/// <para>It cannot be observed whether a thread computes or is blocked, in user code or because the platform fetches a certificate. But a
/// step that only computes is over within milliseconds. So while steps are queued and no core is free, one more thread watches the time. It
/// takes a step if none has been taken for a while. Threads that have been idle for long end.</para>
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

    private readonly Lock _lock = new();
    private readonly Queue<IThreadPoolWorkItem> _first = [];
    private readonly Queue<IThreadPoolWorkItem> _later = [];
    private readonly List<Worker> _idle = [];
    private Worker? _watcher;
    private int _threads;
    private int _computing; // including those that have been called, and those that are blocked
    private long _lastTaken;

    /// <summary>The workers of the process.</summary>
    internal static HandshakeWorkers Shared { get; } = new(Environment.ProcessorCount, Environment.ProcessorCount + MaxBlocked);

    internal int MaxThreads => maxThreads;

    /// <summary>How many threads compute or are blocked, and how many wait to be called. One more may watch the time.</summary>
    internal (int Computing, int Idle, int All) Threads
    {
        get
        {
            lock (_lock) return (_computing, _idle.Count, _threads);
        }
    }

    private bool IsEmpty => _first.Count + _later.Count == 0;

    private bool IsLate => !IsEmpty && Stopwatch.GetElapsedTime(_lastTaken) >= s_patience;

    /// <summary>
    /// Queues a step. Steps of handshakes that have begun go before first steps: their peers have answered, so they are real.
    /// </summary>
    internal void Add(IThreadPoolWorkItem step, bool isFirst)
    {
        Worker? called;
        lock (_lock)
        {
            // Nothing is late while nothing is queued.
            if (IsEmpty) _lastTaken = Stopwatch.GetTimestamp();
            (isFirst ? _first : _later).Enqueue(step);
            called = Call();
        }

        // After the lock, since the thread may run at once, on this core.
        called?.Wake();
    }

    /// <summary>
    /// The thread to wake for a queued step: for a free core, or, if there is none, to watch the time. Null if none is needed.
    /// </summary>
    private Worker? Call()
    {
        bool isCoreFree = _computing < cores;
        if (!isCoreFree && _watcher is not null) return null;
        if (GetIdle() is not { } worker) return null;
        if (isCoreFree) GiveCore(worker);
        else _watcher = worker;
        return worker;
    }

    private void GiveCore(Worker worker)
    {
        worker.HasCore = true;
        _computing++;
    }

    private Worker? GetIdle()
    {
        if (_idle.Count > 0)
        {
            Worker last = _idle[^1];
            _idle.RemoveAt(_idle.Count - 1);
            return last;
        }

        if (_threads == maxThreads) return null;
        _threads++;
        return new Worker(Work);
    }

    private void Work(Worker worker)
    {
        do
        {
            while (TakeAndExecute(worker))
            {
            }
        }
        while (Rest(worker));
    }

    // A separate frame for each step: in the thread's own frame, the last step would stay alive while it waits for the next.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TakeAndExecute(Worker worker)
    {
        if (Take(worker, out Worker? called) is not { } step) return false;
        called?.Wake();
        step.Execute();
        return true;
    }

    /// <summary>Takes a step, or gives up the core.</summary>
    private IThreadPoolWorkItem? Take(Worker worker, out Worker? called)
    {
        called = null;
        lock (_lock)
        {
            if (worker == _watcher)
            {
                if (!IsLate) return null;
                _watcher = null;
                GiveCore(worker);
            }
            else if (!worker.HasCore)
            {
                return null; // an old call, for a watch that began, and ended, without it
            }
            else if (IsEmpty || _computing > cores)
            {
                worker.HasCore = false;
                _computing--;
                if (!IsEmpty && _watcher is null) _watcher = worker;
                else _idle.Add(worker);
                return null;
            }

            _lastTaken = Stopwatch.GetTimestamp();
            IThreadPoolWorkItem step = _later.TryDequeue(out IThreadPoolWorkItem? later) ? later : _first.Dequeue();
            // Before it is needed: when every thread is blocked, none can notice that one is missing.
            if (!IsEmpty) called = Call();
            return step;
        }
    }

    /// <summary>Waits to be called, or to look again at the time. False if the thread has been idle for long enough.</summary>
    private bool Rest(Worker worker)
    {
        // Only this thread ends its own watch, and it was called before it began one.
        while (!worker.Wait(worker == _watcher ? s_patience : s_idleTime))
        {
            lock (_lock)
            {
                if (worker == _watcher)
                {
                    if (!IsEmpty) return true;
                    _watcher = null;
                    _idle.Insert(0, worker);
                }
                else if (_idle.Remove(worker))
                {
                    _threads--;
                    return false;
                }

                // If it is not among the idle ones, it has just been called.
            }
        }

        return true;
    }

    /// <summary>A thread, which starts when it is first called.</summary>
    private sealed class Worker(Action<Worker> work)
    {
        private readonly object _lock = new(); // not a Lock, since that cannot be waited on
        private bool _isStarted;
        private bool _isCalled;

        /// <summary>It computes, or has been called to. Protected by the lock of all.</summary>
        internal bool HasCore { get; set; }

        internal void Wake()
        {
            if (!_isStarted)
            {
                _isStarted = true;
                OwnThread.Start(() => work(this), "Waterspout handshakes");
                return;
            }

            lock (_lock)
            {
                _isCalled = true;
                Monitor.Pulse(_lock);
            }
        }

        /// <summary>False if it has not been called in this time.</summary>
        internal bool Wait(TimeSpan time)
        {
            lock (_lock)
            {
                if (!_isCalled) Monitor.Wait(_lock, time);
                bool isCalled = _isCalled;
                _isCalled = false;
                return isCalled;
            }
        }
    }
}
