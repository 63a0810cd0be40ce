namespace Waterspout.Loop;

/// <summary>Operations that have ended, and buffers that are empty, for use again, on the thread that ended them.</summary>
/// <remarks>
/// A loop's operations begin and end on its thread, so this needs no lock, and one that another thread ended is simply
/// that thread's. It is kept by the thread and not by the stream so that an idle stream holds nothing.
/// </remarks>
internal static class OperationPool<T>
    where T : class, new()
{
    // As many as one batch of the poller's events can make end and begin within a turn; more than that waits pending, and is not here.
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
