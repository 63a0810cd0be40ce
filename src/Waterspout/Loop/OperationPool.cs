namespace Waterspout.Loop;

/// <summary>Completed operations and empty buffers for reuse, on the thread that returned them.</summary>
/// <remarks>
/// A loop's operations begin and complete on its thread, so no lock is needed; an operation completed by another thread simply stays with
/// that thread. The pool belongs to the thread, not to the stream, so that an idle stream holds nothing.
/// </remarks>
internal static class OperationPool<T>
    where T : class, new()
{
    // As many as one batch of the poller's events can complete and start within a turn; any beyond that are pending, and not in the pool.
    private const int Capacity = 256;

    [ThreadStatic] private static T[]? t_items;
    [ThreadStatic] private static int t_count;

    internal static T Rent()
    {
        if (t_count == 0) return new T();
        T item = t_items![--t_count];
        t_items[t_count] = null!;
        return item;
    }

    internal static void Return(T item)
    {
        t_items ??= new T[Capacity];
        if (t_count < Capacity) t_items[t_count++] = item;
    }
}
