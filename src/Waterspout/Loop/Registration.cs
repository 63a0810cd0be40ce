using System.Runtime.InteropServices;

namespace Waterspout.Loop;

/// <summary>Somebody who is told when a descriptor is ready.</summary>
internal interface IReadinessHandler
{
    void HandleEvents(IOEvents events);
}

/// <summary>A descriptor that a loop watches, and who is told of it.</summary>
/// <remarks>
/// A stream is held weakly while nothing is pending on it, so that one that its user has dropped can be finalized and
/// its descriptor closed. <see cref="Root"/> holds it while somebody waits.
/// </remarks>
internal sealed class Registration
{
    private WeakGCHandle<IReadinessHandler> _weak;

    internal Registration(int fd, IReadinessHandler handler, bool weak)
    {
        Fd = fd;
        // Also to one that waits for its finalizer: a loop that is disposed meanwhile still has to close it.
        if (weak) _weak = new WeakGCHandle<IReadinessHandler>(handler, trackResurrection: true);
        else Root = handler;
    }

    internal int Fd { get; }

    /// <summary>The slot in the loop's table and the generation of that slot: what the poller's reports are matched by.</summary>
    internal ulong Token { get; set; }

    internal IReadinessHandler? Root { get; set; }

    internal IReadinessHandler? Handler =>
        Root ?? (_weak.IsAllocated && _weak.TryGetTarget(out IReadinessHandler? handler) ? handler : null);

    internal void Release()
    {
        Root = null;
        if (_weak.IsAllocated) _weak.Dispose();
    }
}
