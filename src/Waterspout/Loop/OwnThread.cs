namespace Waterspout.Loop;

/// <summary>Threads for work that must not wait for a thread pool blocked by the program's own work.</summary>
internal static class OwnThread
{
    /// <summary>
    /// Starts the work on its own background thread. If the system provides none, as without a free descriptor, it runs on the pool.
    /// </summary>
    internal static void Start(Action work, string name)
    {
        try
        {
            new Thread(() => work()) { IsBackground = true, Name = name }.UnsafeStart();
        }
        catch (Exception error) when (error is OutOfMemoryException or ThreadStartException)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static work => work(), work, preferLocal: false);
        }
    }
}
