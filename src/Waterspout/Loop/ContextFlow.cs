namespace Waterspout.Loop;

/// <summary>Keeps the caller's execution context out of objects that live as long as a loop.</summary>
internal static class ContextFlow
{
    /// <summary>
    /// Creates a timer or the like that captures no context: otherwise it would keep the caller's <see cref="AsyncLocal{T}"/> values alive.
    /// </summary>
    internal static T Suppress<T>(Func<T> make)
    {
        if (ExecutionContext.IsFlowSuppressed()) return make();
        using AsyncFlowControl flow = ExecutionContext.SuppressFlow();
        return make();
    }
}
