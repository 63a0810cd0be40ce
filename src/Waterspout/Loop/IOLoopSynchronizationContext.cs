namespace Waterspout.Loop;

/// <summary>Resumes awaits of code that started on a loop on that loop.</summary>
internal sealed class IOLoopSynchronizationContext(IOLoop loop) : SynchronizationContext
{
    // When the loop has ended, continuations still have to run somewhere: finally blocks release resources.
    public override void Post(SendOrPostCallback d, object? state) => loop.PostOrPool(new LoopCallback(d, state));

    public override void Send(SendOrPostCallback d, object? state)
    {
        if (loop.IsCurrent)
            d(state);
        else
            loop.InvokeAsync(() => { d(state); return Task.CompletedTask; }).GetAwaiter().GetResult();
    }

    public override SynchronizationContext CreateCopy() => this;
}
