using System.Threading.Tasks.Sources;

namespace Waterspout.Kestrel.Tls;

/// <summary>A read that would block, until it is completed. Its awaiter runs within that call.</summary>
internal sealed class PendingRead : IValueTaskSource<int>
{
    private ManualResetValueTaskSourceCore<int> _core;

    internal bool IsPending { get; private set; }

    /// <summary>Where the bytes go; empty if the read only waits.</summary>
    internal Memory<byte> Target { get; private set; }

    internal ValueTask<int> Begin(Memory<byte> target)
    {
        _core.Reset();
        Target = target;
        IsPending = true;
        return new ValueTask<int>(this, _core.Version);
    }

    internal void Complete(int count)
    {
        End();
        _core.SetResult(count);
    }

    internal void Fail(Exception error)
    {
        End();
        _core.SetException(error);
    }

    public int GetResult(short token) => _core.GetResult(token);

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private void End()
    {
        IsPending = false;
        Target = default;
    }
}
