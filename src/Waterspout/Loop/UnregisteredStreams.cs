using System.Runtime.CompilerServices;

namespace Waterspout.Loop;

/// <summary>The streams of a loop that its poller does not know yet, which the end of the loop closes as well.</summary>
/// <remarks>Held weakly: such a stream can be dropped, and its finalizer closes it. From any thread.</remarks>
internal sealed class UnregisteredStreams
{
    private readonly ConditionalWeakTable<BaseIOStream, object?> _streams = [];

    internal IEnumerable<BaseIOStream> All => _streams.Select(static entry => entry.Key).ToArray();

    internal void Add(BaseIOStream stream) => _streams.Add(stream, null);

    /// <summary>Of several who remove it at a time, one is answered with true.</summary>
    internal bool Remove(BaseIOStream stream) => _streams.Remove(stream);
}
