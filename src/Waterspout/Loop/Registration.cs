namespace Waterspout.Loop;

/// <summary>Somebody who is told when a descriptor is ready.</summary>
internal interface IReadinessHandler
{
    void HandleEvents(IOEvents events);

    /// <summary>The loop has ended: what belongs to the handler itself is closed.</summary>
    void EndWithLoop();
}

/// <summary>A descriptor that a loop watches. The default is none.</summary>
/// <param name="Token">The slot in the loop's table and the generation of that slot: what the poller's reports are matched by. Never zero.</param>
internal readonly record struct Registration(ulong Token)
{
    internal bool IsNone => Token == 0;
}
