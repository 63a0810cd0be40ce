using System.Collections.Concurrent;

namespace Waterspout.Loop;

/// <summary>The connections of a loop whose code is to run on the thread pool.</summary>
/// <remarks>
/// A work item for each of them would wake a thread for each. Here one item at a time is queued: its worker runs connection after connection
/// while there are some, and before each it queues another item if more wait. So under load few threads run many connections, and one whose
/// code blocks holds up no other: the next worker continues with the rest.
/// </remarks>
internal sealed class ResumeQueue : IThreadPoolWorkItem
{
    // A worker makes way for other work of the pool from time to time.
    private const int MostMilliseconds = 15;

    private readonly ConcurrentQueue<IThreadPoolWorkItem> _ready = new();
    private int _isQueued;

    internal void Add(IThreadPoolWorkItem connection)
    {
        _ready.Enqueue(connection);
        QueueWorker();
    }

    void IThreadPoolWorkItem.Execute()
    {
        // Before the look: what is added after it queues a worker of its own.
        Interlocked.Exchange(ref _isQueued, 0);
        long begun = Environment.TickCount64;
        do
        {
            if (!_ready.TryDequeue(out IThreadPoolWorkItem? connection)) return;
            // What waits always has a worker that has not begun, so this one may stop after any connection.
            if (!_ready.IsEmpty) QueueWorker();
            connection.Execute();
        }
        while (Environment.TickCount64 - begun < MostMilliseconds);
    }

    private void QueueWorker()
    {
        if (Volatile.Read(ref _isQueued) == 0 && Interlocked.Exchange(ref _isQueued, 1) == 0) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }
}
