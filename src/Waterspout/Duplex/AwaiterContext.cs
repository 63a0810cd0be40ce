using Waterspout.Loop;

namespace Waterspout.Duplex;

/// <summary>An awaiter that is to resume in a context of the user's: a synchronization context, or else a task scheduler.</summary>
internal sealed class AwaiterContext
{
    /// <summary>Resumes the awaiter that is passed to it, in its context.</summary>
    internal static readonly Action<object?> Resume = static awaiter => ((AwaiterContext)awaiter!).Post();

    private readonly SynchronizationContext? _context;
    private readonly TaskScheduler _scheduler;
    private readonly Action<object?> _continuation;
    private readonly object? _state;

    private AwaiterContext(SynchronizationContext? context, TaskScheduler scheduler, Action<object?> continuation, object? state)
    {
        _context = context;
        _scheduler = scheduler;
        _continuation = continuation;
        _state = state;
    }

    /// <summary>The awaiter in the caller's context. Null if it has none, or that of a loop.</summary>
    internal static AwaiterContext? Capture(Action<object?> continuation, object? state)
    {
        SynchronizationContext? context = SynchronizationContext.Current;
        if (context is IOLoopSynchronizationContext) return null;
        // The base class is the thread pool, as it is for every await.
        if (context?.GetType() == typeof(SynchronizationContext)) context = null;
        if (context is null && TaskScheduler.Current == TaskScheduler.Default) return null;
        return new AwaiterContext(context, TaskScheduler.Current, continuation, state);
    }

    private void Post()
    {
        if (_context is not null)
            _context.Post(static awaiter => Continue(awaiter), this);
        else
            _ = Task.Factory.StartNew(Continue, this, default, TaskCreationOptions.DenyChildAttach, _scheduler);
    }

    private static void Continue(object? awaiter)
    {
        AwaiterContext self = (AwaiterContext)awaiter!;
        self._continuation(self._state);
    }
}
