namespace Waterspout.Tests;

/// <summary>A context of a user's: it resumes on the thread pool, within itself, and counts.</summary>
internal sealed class PostingContext : SynchronizationContext
{
    private int _posts;

    internal int Posts => _posts;

    public override void Post(SendOrPostCallback d, object? state)
    {
        Interlocked.Increment(ref _posts);
        ThreadPool.QueueUserWorkItem(_ =>
        {
            SetSynchronizationContext(this);
            d(state);
            SetSynchronizationContext(null);
        });
    }
}
