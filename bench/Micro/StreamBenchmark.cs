using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Engines;

namespace Waterspout.Bench.Micro;

/// <summary>Two connected streams, on a loop that runs on the benchmark's thread.</summary>
public abstract class StreamBenchmark
{
    protected const int Count = 10_000;

    protected Consumer Consumer { get; } = new();

    protected IOStream Near { get; private set; } = null!;

    protected IOStream Far { get; private set; } = null!;

    protected IOLoop Loop { get; private set; } = null!;

    [GlobalSetup]
    public void SetUp()
    {
        Loop = new IOLoop();
        (Near, Far) = IOStream.CreatePair(loop: Loop);
        Prepare();
    }

    [GlobalCleanup]
    public void CleanUp() => Loop.Dispose();

    protected virtual void Prepare()
    {
    }
}
