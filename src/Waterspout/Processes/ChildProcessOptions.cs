using Waterspout.Loop;

namespace Waterspout;

/// <summary>How <see cref="ChildProcess.Start"/> connects a child, and when it ends one.</summary>
public sealed record ChildProcessOptions
{
    /// <summary>
    /// Which standard streams of the child are connected to ours. The others are inherited from this process. All three by default.
    /// </summary>
    public StandardStreams Redirect { get; set; } = StandardStreams.All;

    /// <summary>
    /// Whether <see cref="ChildProcess.StandardOutput"/> and <see cref="ChildProcess.StandardError"/> end when the child has exited and
    /// the pipe is empty. True by default. False: they end when every process that inherited the pipe has closed it.
    /// </summary>
    /// <remarks>
    /// A process that the child has left behind keeps its pipes open, perhaps for ever, so a read until the end would wait for that
    /// one. Nothing that the child itself has written is lost in either case.
    /// </remarks>
    public bool OutputEndsAtExit { get; set; } = true;

    /// <summary>
    /// How long the child may run, on the clock of the loop. Then it is killed with its descendants. Null, the default: for ever.
    /// </summary>
    /// <remarks>
    /// <see cref="ChildProcess.WaitForExitAsync"/> then fails with <see cref="TimeoutException"/>, once the child has exited.
    /// </remarks>
    public TimeSpan? TimeLimit { get; set; }

    /// <summary>Whether disposing kills a child that still runs, with its descendants. True by default. False: it is left to run.</summary>
    public bool KillOnDispose { get; set; } = true;

    /// <summary>Limits and settings of the streams; null for the defaults.</summary>
    public IOStreamOptions? Streams { get; set; }

    internal void Validate(string parameter)
    {
        if (Redirect is < StandardStreams.None or > StandardStreams.All)
            throw new ArgumentOutOfRangeException(parameter, Redirect, "Redirect combines Input, Output and Error.");
        OptionCheck.Positive(TimeLimit, parameter);
        // Here, and not when there is a child already.
        Streams?.Validate(parameter);
    }
}
