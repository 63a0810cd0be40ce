using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Waterspout;

/// <summary>What <see cref="IOLoop.SwitchTo"/> returns: the code that awaits it continues on the loop.</summary>
[SuppressMessage("Performance", "CA1815:Override equals and operator equals on value types", Justification = "It is awaited, never compared.")]
public readonly struct LoopAwaitable : ICriticalNotifyCompletion
{
    private readonly IOLoop _loop;

    internal LoopAwaitable(IOLoop loop) => _loop = loop;

    /// <summary>True on the loop, where there is nothing to await.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public bool IsCompleted => _loop.IsCurrent;

    /// <summary>The awaiter, for the compiler.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public LoopAwaitable GetAwaiter() => this;

    /// <summary>Ends the await.</summary>
    /// <exception cref="ObjectDisposedException">The loop was disposed before it ran the code.</exception>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public void GetResult() => ObjectDisposedException.ThrowIf(!_loop.IsCurrent, _loop);

    /// <summary>Runs the rest on the loop, or, if that has ended, on the thread pool, where it gets the exception.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    /// <inheritdoc cref="OnCompleted"/>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public void UnsafeOnCompleted(Action continuation) => _loop.PostOrPool(continuation, static continuation => continuation());
}
