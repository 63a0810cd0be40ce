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

    // One object: finding a static of a thread takes 3 to 5 ns in generic code, so it is done once.
    [ThreadStatic] private static Items? t_items;

    internal static T Rent()
    {
        if (t_items is not { Count: > 0 } items) return new T();
        T item = items.Array[--items.Count];
        items.Array[items.Count] = null!;
        return item;
    }

    internal static void Return(T item)
    {
        Items items = t_items ??= new Items();
        if (items.Count < Capacity) items.Array[items.Count++] = item;
    }

    private sealed class Items
    {
        internal readonly T[] Array = new T[Capacity];
        internal int Count;
    }
}
