namespace Waterspout.Loop;

/// <summary>Keeps the execution context of whoever happens to call out of what lives as long as a loop.</summary>
internal static class ContextFlow
{
    /// <summary>Makes a timer or the like that captures no context: what the caller has in an <see cref="AsyncLocal{T}"/> would be held with it.</summary>
    internal static T Suppress<T>(Func<T> make)
    {
        if (ExecutionContext.IsFlowSuppressed()) return make();
        using AsyncFlowControl flow = ExecutionContext.SuppressFlow();
        return make();
    }
}
