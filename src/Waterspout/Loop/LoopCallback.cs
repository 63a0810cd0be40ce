namespace Waterspout.Loop;

/// <summary>A function and the state that it is called with, so that a queued call needs no closure.</summary>
/// <remarks>A state that is an object costs no allocation. A tuple is boxed, once.</remarks>
internal readonly struct LoopCallback
{
    private readonly Action<Delegate, object?> _invoke;
    private readonly Delegate _function;
    private readonly object? _state;

    internal LoopCallback(SendOrPostCallback function, object? state)
        : this(static (function, state) => ((SendOrPostCallback)function)(state), function, state)
    {
    }

    private LoopCallback(Action<Delegate, object?> invoke, Delegate function, object? state) =>
        (_invoke, _function, _state) = (invoke, function, state);

    /// <summary>The object that gives the call its name in a log: see <see cref="Diagnostics.CallbackName"/>.</summary>
    internal object Subject => _state ?? _function;

    internal static LoopCallback Of<T>(T state, Action<T> function) => new(Typed<T>.Invoke, function, state);

    internal void Invoke() => _invoke(_function, _state);

    private static class Typed<T>
    {
        internal static readonly Action<Delegate, object?> Invoke = static (function, state) => ((Action<T>)function)((T)state!);
    }
}
