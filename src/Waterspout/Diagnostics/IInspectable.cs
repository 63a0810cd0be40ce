namespace Waterspout.Diagnostics;

/// <summary>A stream, or a connection that was made of one, that a loop watches.</summary>
internal interface IInspectable
{
    /// <summary>What it is doing. On the thread of its loop; null if it is over.</summary>
    StreamInfo? Inspect();
}
