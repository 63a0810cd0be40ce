using System.Collections;

namespace Waterspout;

/// <summary>Several loops, each on its own background thread, for work beyond one core.</summary>
/// <remarks>A stream stays on the loop that it was created for. All members may be called from any thread.</remarks>
public sealed class IOLoopGroup : IReadOnlyList<IOLoop>, IDisposable
{
    private readonly IOLoop[] _loops;
    private int _next = -1;

    /// <summary>Creates and starts the loops.</summary>
    /// <param name="loops">How many; one per core (<see cref="Environment.ProcessorCount"/>) uses the machine fully.</param>
    /// <param name="options">How each loop works. The loop's number is appended to its name.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is not positive, or an option is out of range.</exception>
    public IOLoopGroup(int loops, IOLoopOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(loops);
        options ??= new IOLoopOptions();
        options.Validate(nameof(options));
        _loops = new IOLoop[loops];
        try
        {
            for (int i = 0; i < loops; i++) _loops[i] = IOLoop.StartOnThread(options with { Name = $"{options.Name} {i}" });
        }
        catch
        {
            foreach (IOLoop? loop in _loops) loop?.Dispose();
            throw;
        }
    }

    /// <summary>The number of loops.</summary>
    public int Count => _loops.Length;

    /// <summary>The loop at <paramref name="index"/>, from zero.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such loop.</exception>
    public IOLoop this[int index] => (uint)index < (uint)_loops.Length
        ? _loops[index]
        : throw new ArgumentOutOfRangeException(nameof(index), index, $"There are {_loops.Length} loops.");

    /// <summary>Returns the loops in turn, for distributing streams evenly.</summary>
    public IOLoop Next() => _loops[(uint)Interlocked.Increment(ref _next) % (uint)_loops.Length];

    /// <inheritdoc/>
    public IEnumerator<IOLoop> GetEnumerator() => ((IEnumerable<IOLoop>)_loops).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Disposes every loop: streams that are still open are closed.</summary>
    /// <remarks>Waits for the loops, unless it is called on one of them: then each ends after its turn.</remarks>
    public void Dispose()
    {
        // Request all disposals before waiting for any; and do not wait on one of these loops, since another one may be waiting for it.
        foreach (IOLoop loop in _loops) loop.RequestDispose();
        if (_loops.Any(static loop => loop.IsCurrent)) return;
        foreach (IOLoop loop in _loops) loop.Dispose();
    }
}
