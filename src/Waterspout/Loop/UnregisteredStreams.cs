using System.Runtime.CompilerServices;

namespace Waterspout.Loop;

/// <summary>The streams of a loop that are not registered with its poller yet. The end of the loop closes them too.</summary>
/// <remarks>Weak references: such a stream can be dropped, and its finalizer closes it. May be used from any thread.</remarks>
internal sealed class UnregisteredStreams
{
    private readonly ConditionalWeakTable<BaseIOStream, object?> _streams = [];

    internal IEnumerable<BaseIOStream> All => _streams.Select(static entry => entry.Key).ToArray();

    internal void Add(BaseIOStream stream) => _streams.Add(stream, null);

    /// <summary>If several callers remove it at the same time, exactly one gets true.</summary>
    internal bool Remove(BaseIOStream stream) => _streams.Remove(stream);
}
