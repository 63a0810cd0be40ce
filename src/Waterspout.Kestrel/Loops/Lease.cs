using Waterspout.Loop;

namespace Waterspout.Kestrel.Loops;

/// <summary>A worker's right to run a loop, and what the code that it runs has left to be sent.</summary>
/// <remarks>
/// The right can be lost only while the application's code runs, which may never return. Then the lease is in user code, and the loop's
/// thread may revoke it; the thread that swaps the state first decides. A revoked lease is not used again: the code that still runs under it
/// sends by itself.
/// </remarks>
internal sealed class Lease(TransportLoop loop)
{
    private const int InLibrary = 0;
    private const int InUserCode = 1;
    private const int Revoked = 2;

    [ThreadStatic]
    private static Lease? t_held;

    private readonly List<IFlushable> _deferred = [];
    private int _state;

    /// <summary>Numbers the pieces of work, so that it can be seen that one still runs.</summary>
    internal long Sequence { get; private set; }

    internal bool IsInUserCode => Volatile.Read(ref _state) == InUserCode;

    /// <summary>The calling code is run by a loop.</summary>
    internal static bool IsHeld => t_held is { IsInUserCode: true };

    /// <summary>The calling code is run by this loop, which will send what is deferred when the code returns.</summary>
    internal static bool IsHeldFor(TransportLoop loop) => IsHeld && t_held!.IsOf(loop);

    /// <summary>Sends when the code that runs now has returned. Only where <see cref="IsHeldFor"/> was true.</summary>
    internal static void Defer(IFlushable output)
    {
        Lease lease = t_held!;
        lock (lease._deferred)
        {
            if (Volatile.Read(ref lease._state) != Revoked)
            {
                lease._deferred.Add(output);
                return;
            }
        }

        // Revoked since the caller looked. It holds a lock that the send needs.
        ThreadPool.UnsafeQueueUserWorkItem(static output => output.FlushWrites(), output, preferLocal: false);
    }

    /// <summary>Runs application code, and sends what it has left.</summary>
    /// <returns>False if the loop was taken away meanwhile.</returns>
    internal bool Run(IThreadPoolWorkItem work)
    {
        t_held = this;
        Sequence++;
        Volatile.Write(ref _state, InUserCode);
        work.Execute();
        bool isHeld = Interlocked.CompareExchange(ref _state, InLibrary, InUserCode) == InUserCode;
        t_held = null;
        if (isHeld) SendDeferred();
        return isHeld;
    }

    /// <summary>Takes the loop away from code that has not returned.</summary>
    /// <returns>False if it has returned.</returns>
    internal bool TryRevoke()
    {
        lock (_deferred)
            if (Interlocked.CompareExchange(ref _state, Revoked, InUserCode) != InUserCode) return false;
        SendDeferred();
        return true;
    }

    private bool IsOf(TransportLoop other) => other == loop;

    // Nothing is added meanwhile: the code has returned, or its lease is revoked.
    private void SendDeferred()
    {
        foreach (IFlushable output in _deferred) output.FlushWrites();
        _deferred.Clear();
    }
}
