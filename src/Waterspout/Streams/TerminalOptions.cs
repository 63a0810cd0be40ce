using Waterspout.Loop;

namespace Waterspout;

/// <summary>How <see cref="PipeIOStream.Open"/> sets a terminal or a serial line.</summary>
/// <remarks>
/// <para>The settings belong to the device, so everyone who uses it sees them. Those from before are restored when the stream closes (the
/// last one, if several have changed the same terminal) and when the process ends: by a regular exit, by an exception that nothing handles,
/// by SIGTERM, SIGINT, SIGHUP or SIGQUIT. A process that is killed (SIGKILL), or whose runtime crashes, leaves them as they are; the
/// command <c>stty sane</c> is the remedy. A signal's default is kept: where another handler has cancelled it before, nothing is restored
/// until the exit.</para>
/// <para>They are restored at once, also while a serial line still transmits what the system has accepted. Tornado has no such
/// options.</para>
/// </remarks>
public sealed record TerminalOptions
{
    /// <summary>
    /// Every byte as it comes, in both directions, 8 bits without parity: no lines to wait for, no echo, no translation of line ends, and
    /// no keys with a meaning. Ctrl+C is byte 3, and not a signal; Ctrl+D is byte 4, and not EOF. False by default: nothing is changed.
    /// </summary>
    public bool Raw { get; set; }

    /// <summary>The speed in both directions, in bits a second. Null, the default: it is not changed.</summary>
    /// <remarks>Any number that the device can keep to within 2 %. A pseudo-terminal takes any, and ignores it.</remarks>
    public int? Speed { get; set; }

    internal void Validate(string parameter)
    {
        if (Speed is { } speed) OptionCheck.Positive(speed, parameter, nameof(Speed));
    }
}
