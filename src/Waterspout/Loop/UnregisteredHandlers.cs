using System.Runtime.CompilerServices;

namespace Waterspout.Loop;

/// <summary>The streams of a loop that are not registered with its poller yet. The end of the loop closes them too.</summary>
/// <remarks>Weak references: such a stream can be dropped, and its finalizer closes it. May be used from any thread.</remarks>
internal sealed class UnregisteredHandlers
{
    private readonly ConditionalWeakTable<IReadinessHandler, object?> _handlers = [];

    internal IEnumerable<IReadinessHandler> All => _handlers.Select(static entry => entry.Key).ToArray();

    internal void Add(IReadinessHandler handler) => _handlers.Add(handler, null);

    /// <summary>If several callers remove it at the same time, exactly one gets true.</summary>
    internal bool Remove(IReadinessHandler handler) => _handlers.Remove(handler);
}
