namespace Waterspout.Loop;

/// <summary>Threads for work that must not wait until the program's own lets go of the thread pool.</summary>
internal static class OwnThread
{
    /// <summary>Begins the work on a background thread of its own. Where the system gives none, as without a free descriptor, the pool has to do it.</summary>
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
