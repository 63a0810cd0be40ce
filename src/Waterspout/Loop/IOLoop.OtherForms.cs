using System.Runtime.CompilerServices;

namespace Waterspout;

// InvokeAsync and RunSync of functions that return something else than a task. The priorities say what a lambda is taken for: an async one
// for a task, one that returns a ValueTask for that, and only then for a function whose result is passed on as it is.
public sealed partial class IOLoop
{
    /// <inheritdoc cref="InvokeAsync(Func{Task})"/>
    [OverloadResolutionPriority(-1)]
    public Task InvokeAsync(Func<ValueTask> action)
    {
        ArgumentNullException.ThrowIfNull(action);
        return InvokeAsync(async () => { await action(); return true; }, action);
    }

    /// <inheritdoc cref="InvokeAsync(Func{Task})"/>
    [OverloadResolutionPriority(-1)]
    public Task<T> InvokeAsync<T>(Func<ValueTask<T>> action)
    {
        ArgumentNullException.ThrowIfNull(action);
        return InvokeAsync(() => action().AsTask(), action);
    }

    /// <inheritdoc cref="InvokeAsync(Func{Task})"/>
    [OverloadResolutionPriority(-2)]
    public Task InvokeAsync(Action action)
    {
        ArgumentNullException.ThrowIfNull(action);
        return InvokeAsync(() => { action(); return Task.FromResult(true); }, action);
    }

    /// <inheritdoc cref="InvokeAsync(Func{Task})"/>
    [OverloadResolutionPriority(-2)]
    public Task<T> InvokeAsync<T>(Func<T> action)
    {
        ArgumentNullException.ThrowIfNull(action);
        return InvokeAsync(() => Task.FromResult(action()), action);
    }

    /// <inheritdoc cref="RunSync(Func{Task}, TimeSpan?)"/>
    [OverloadResolutionPriority(-1)]
    public void RunSync(Func<ValueTask> main, TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(main);
        RunSync(async () => { await main(); return true; }, timeout, main);
    }

    /// <inheritdoc cref="RunSync{T}(Func{Task{T}}, TimeSpan?)"/>
    [OverloadResolutionPriority(-1)]
    public T RunSync<T>(Func<ValueTask<T>> main, TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(main);
        return RunSync(() => main().AsTask(), timeout, main);
    }

    /// <summary>
    /// Runs <paramref name="main"/> on the loop, and then returns. What it creates, such as a server, belongs to this loop, which has to be
    /// run for it to work: by <see cref="Run"/>, for example.
    /// </summary>
    /// <inheritdoc cref="RunSync(Func{Task}, TimeSpan?)"/>
    [OverloadResolutionPriority(-2)]
    public void RunSync(Action main, TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(main);
        RunSync(() => { main(); return Task.FromResult(true); }, timeout, main);
    }

    /// <summary>Runs <paramref name="main"/> on the loop, and returns its result.</summary>
    /// <inheritdoc cref="RunSync(Action, TimeSpan?)"/>
    [OverloadResolutionPriority(-2)]
    public T RunSync<T>(Func<T> main, TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(main);
        return RunSync(() => Task.FromResult(main()), timeout, main);
    }
}
