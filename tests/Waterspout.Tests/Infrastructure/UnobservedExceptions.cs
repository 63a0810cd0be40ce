using System.Collections.Concurrent;

namespace Waterspout.Tests;

/// <summary>Unobserved exceptions of tasks, which the runtime reports when it collects such a task.</summary>
public sealed class UnobservedExceptions : IDisposable
{
    private readonly ConcurrentQueue<Exception> _exceptions = new();
    private readonly int _collectionsBefore = GC.CollectionCount(0);
    private bool _isCollected;

    public UnobservedExceptions() => TaskScheduler.UnobservedTaskException += Add;

    /// <summary>Collects what a test has dropped, and fails if such a task is among it.</summary>
    public void Check()
    {
        Collect();
        _isCollected = true;
        Assert.True(_exceptions.IsEmpty, $"Nobody observed:\n{string.Join('\n', _exceptions)}");
    }

    public void Dispose()
    {
        // What a failed test has dropped must not be attributed to the next one.
        if (!_isCollected) Collect();
        TaskScheduler.UnobservedTaskException -= Add;
    }

    // A collection of everything takes longer than most tests. What a test made has come as far as one generation for each collection since.
    private void Collect()
    {
        // Twice: a finalizer may have dropped the last reference to another object that has one.
        for (int i = 0; i < 2; i++)
        {
            GC.Collect(Math.Min(GC.CollectionCount(0) - _collectionsBefore, GC.MaxGeneration));
            GC.WaitForPendingFinalizers();
        }
    }

    private void Add(object? sender, UnobservedTaskExceptionEventArgs args) => _exceptions.Enqueue(args.Exception);
}
