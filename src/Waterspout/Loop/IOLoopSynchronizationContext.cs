namespace Waterspout.Loop;

/// <summary>Brings awaits of code that started on a loop back to that loop.</summary>
internal sealed class IOLoopSynchronizationContext(IOLoop loop) : SynchronizationContext
{
    public override void Post(SendOrPostCallback d, object? state)
    {
        // When the loop is gone, continuations still have to run somewhere: finally blocks release things.
        if (!loop.TryPost(new LoopCallback(d, state)))
            ThreadPool.UnsafeQueueUserWorkItem(static work => work.d(work.state), (d, state), preferLocal: false);
    }

    public override void Send(SendOrPostCallback d, object? state)
    {
        if (loop.IsCurrent)
            d(state);
        else
            loop.InvokeAsync(() => { d(state); return Task.CompletedTask; }).GetAwaiter().GetResult();
    }

    public override SynchronizationContext CreateCopy() => this;
}
