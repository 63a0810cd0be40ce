using Microsoft.Extensions.Options;

namespace Waterspout.Kestrel.Loops;

/// <summary>
/// The loops that the connections of all listeners are spread over. They begin with the first listener, and end with the last.
/// </summary>
internal sealed class TransportLoops(IOptions<WaterspoutTransportOptions> options)
{
    private readonly Lock _lock = new();
    private TransportLoop[] _loops = [];
    private int _users;
    private int _next = -1;

    /// <summary>The caller uses the loops, until it calls <see cref="ReleaseAsync"/>.</summary>
    internal void Acquire()
    {
        lock (_lock)
        {
            if (_users++ > 0) return;
            _loops = [.. Enumerable.Range(0, options.Value.LoopCount).Select(number => new TransportLoop(number, options.Value.Scheduling))];
        }
    }

    internal TransportLoop Next() => _loops[(uint)Interlocked.Increment(ref _next) % _loops.Length];

    /// <summary>The caller uses the loops no more. The last one ends them, and waits until they have ended.</summary>
    internal Task ReleaseAsync()
    {
        lock (_lock)
        {
            if (--_users > 0) return Task.CompletedTask;
            return Task.WhenAll(_loops.Select(static loop => loop.EndAsync()));
        }
    }
}
