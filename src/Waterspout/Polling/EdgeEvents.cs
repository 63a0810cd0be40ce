namespace Waterspout.Polling;

/// <summary>What an edge-triggered descriptor is registered for, once and permanently.</summary>
internal static class EdgeEvents
{
    internal const IOEvents All = IOEvents.Read | IOEvents.Write | IOEvents.ReadClosed | IOEvents.Priority;
}
