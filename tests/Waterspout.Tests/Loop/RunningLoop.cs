namespace Waterspout.Tests;

/// <summary>A loop that runs on its own thread until it is disposed.</summary>
internal sealed class RunningLoop : IDisposable
{
    private readonly Thread _thread;

    internal RunningLoop(IOLoop loop)
    {
        using ManualResetEventSlim started = new();
        loop.AddCallback(started.Set);
        Loop = loop;
        _thread = new Thread(loop.Start) { IsBackground = true };
        _thread.Start();
        started.Wait();
    }

    internal IOLoop Loop { get; }

    public void Dispose()
    {
        Loop.Stop();
        Join();
    }

    /// <summary>Waits until the loop's thread has ended.</summary>
    internal void Join() => Assert.True(_thread.Join(TimeSpan.FromSeconds(30)), "The loop did not end.");
}
