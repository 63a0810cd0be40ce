namespace Waterspout.Loop;

/// <summary>Replaces this thread's synchronization context until the end of the scope.</summary>
internal readonly ref struct SynchronizationContextScope : IDisposable
{
    private readonly SynchronizationContext? _outer;

    internal SynchronizationContextScope(SynchronizationContext? context)
    {
        _outer = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(context);
    }

    public void Dispose() => SynchronizationContext.SetSynchronizationContext(_outer);
}
