using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Waterspout.Connecting;
using Waterspout.Diagnostics;
using Waterspout.Loop;

namespace Waterspout;

/// <summary>Which call of the operating system a loop waits with.</summary>
public enum PollerKind
{
    /// <summary>
    /// What the environment variable <c>WATERSPOUT_POLLER</c> says (<c>epoll</c> or <c>portable</c>), else epoll on Linux
    /// and the portable one elsewhere.
    /// </summary>
    Default,

    /// <summary><c>epoll</c>: Linux only; the cost of a turn does not depend on the number of idle descriptors.</summary>
    Epoll,

    /// <summary><c>poll</c>: any POSIX system; each turn costs time for every descriptor.</summary>
    Portable,
}

/// <summary>How an <see cref="IOLoop"/> works. Read when the loop is made; changing it later has no effect.</summary>
public sealed record IOLoopOptions
{
    /// <summary>The clock of timers and timeouts. The system's monotonic clock by default; tests pass one of their own.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>Where the loop and its streams log. Nowhere by default: but see <see cref="UnhandledException"/>.</summary>
    public ILoggerFactory LoggerFactory { get; set; } = NullLoggerFactory.Instance;

    /// <summary>
    /// Gets each exception that nobody has handled: of a callback, a timer or a handler of the loop, of a callback of one of its streams, of a
    /// server's handler of a connection. It is called once for each, on the thread on which it happened, behind the line in the log.
    /// </summary>
    /// <remarks>
    /// By default they are written to standard error, unless there is a <see cref="LoggerFactory"/>, which has them. Null does nothing with them. How a
    /// peer ends a connection, time limits and cancellations are not among them. An exception that this throws is written to standard error.
    /// </remarks>
    public Action<Exception>? UnhandledException { get; set; } = UnhandledErrors.WriteToStandardError;

    /// <summary>
    /// For how long a loop that has just sent something looks for the next event before it lets the kernel put the thread
    /// to sleep. It saves the wake-up, which is most of the latency of a single ping-pong, and is given up by itself
    /// while it finds nothing, so that an idle loop uses no CPU. <see cref="TimeSpan.Zero"/> turns it off.
    /// </summary>
    public TimeSpan BusyPoll { get; set; } = TimeSpan.FromMicroseconds(50);

    /// <summary>
    /// A callback that holds the loop for longer than this is named in a warning, and counted, when it ends. 100 ms by default;
    /// <see cref="Timeout.InfiniteTimeSpan"/> turns the measurement off.
    /// </summary>
    /// <remarks>
    /// One that holds it for a second (or this, if longer) is named while it does, in a line that another thread writes: also one that never ends, since
    /// it waits for the loop itself. In the first 100 turns of a loop, when the code that it runs is compiled, the line at the end is at Debug.
    /// </remarks>
    public TimeSpan StallThreshold { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Names the loop in logs and metrics, and its thread where the loop has one of its own.</summary>
    public string Name { get; set; } = "IOLoop";

    /// <summary>Which call of the operating system the loop waits with.</summary>
    public PollerKind Poller { get; set; }

    /// <summary>How names are resolved. Tests have one whose name server does not answer.</summary>
    internal Func<string, AddressFamily, CancellationToken, Task<IPAddress[]>> Lookup { get; set; } = NameLookup.RunAsync;

    /// <summary>Without what the log has already.</summary>
    internal Action<Exception>? EffectiveUnhandledException =>
        UnhandledException == UnhandledErrors.WriteToStandardError && LoggerFactory != NullLoggerFactory.Instance ? null : UnhandledException;

    internal void Validate(string name)
    {
        TimeLimit.CheckNotNegative(BusyPoll, name);
        TimeLimit.CheckNotNegative(StallThreshold, name);
    }
}
