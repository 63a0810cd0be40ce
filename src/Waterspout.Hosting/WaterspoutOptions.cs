namespace Waterspout.Hosting;

/// <summary>
/// The event loops of an application, which its servers share. The section <c>Waterspout</c> of the configuration overrides them.
/// </summary>
/// <remarks>
/// The key of a value is the path of its property: <c>Waterspout:LoopCount</c>, <c>Waterspout:Loop:StallThreshold</c>. They are read once,
/// when the first server or the group of loops is created.
/// </remarks>
public sealed class WaterspoutOptions
{
    /// <summary>How many loops there are, each with a thread of its own. One per core by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is not from 1 to 1024.</exception>
    public int LoopCount
    {
        get;
        set => field = value is >= 1 and <= 1024
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, $"{nameof(LoopCount)} must be from 1 to 1024.");
    } = Math.Min(Environment.ProcessorCount, 1024);

    /// <summary>
    /// How each loop works. <see cref="IOLoopOptions.LoggerFactory"/> is that of the services, unless it is set here.
    /// </summary>
    /// <remarks>
    /// The configuration overrides <see cref="IOLoopOptions.Name"/>, <see cref="IOLoopOptions.BusyPoll"/>,
    /// <see cref="IOLoopOptions.StallThreshold"/> and <see cref="IOLoopOptions.Poller"/>.
    /// </remarks>
    /// <exception cref="ArgumentNullException">The options are null.</exception>
    public IOLoopOptions Loop
    {
        get;
        set => field = value ?? throw new ArgumentNullException(nameof(value), $"{nameof(Loop)} must not be null.");
    } = new();
}
