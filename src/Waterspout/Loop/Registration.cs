namespace Waterspout.Loop;

/// <summary>Receives readiness notifications for a descriptor.</summary>
internal interface IReadinessHandler
{
    void HandleEvents(IOEvents events);

    /// <summary>The loop has ended: the handler closes what it owns.</summary>
    void EndWithLoop();

    /// <summary>Something waits for the handler's events, so a handler that is referenced weakly has to be rooted.</summary>
    bool NeedsRoot => false;
}

/// <summary>A stream that buffers what is written, and sends it at the end of the loop's turn.</summary>
internal interface IFlushable
{
    void FlushWrites();
}

/// <summary>A descriptor that a loop watches. The default is none.</summary>
/// <param name="Token">
/// The slot in the loop's table and the generation of that slot: the poller's reports are matched by it. Never zero.
/// </param>
internal readonly record struct Registration(ulong Token)
{
    internal bool IsNone => Token == 0;
}
