using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Waterspout.Diagnostics;
using Waterspout.Loop;

namespace Waterspout;

/// <summary>How an <see cref="IOLoop"/> works. Copied when the loop is created; later changes have no effect.</summary>
public sealed record IOLoopOptions
{
    /// <summary>The clock of timers and timeouts. The system's monotonic clock by default; tests can pass their own.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>Where the loop and its streams log. Nowhere by default, but see <see cref="UnhandledException"/>.</summary>
    public ILoggerFactory LoggerFactory { get; set; } = NullLoggerFactory.Instance;

    /// <summary>
    /// Called for each unhandled exception: of a callback, a timer or a handler of the loop, of a callback of one of its streams, of a
    /// server's connection handler. It is called once for each, on the thread where it happened, after the line in the log.
    /// </summary>
    /// <remarks>
    /// By default they are written to standard error, unless there is a <see cref="LoggerFactory"/>, whose log contains them. Null ignores
    /// them. They do not include the ways in which a peer ends a connection, time limits and cancellations. An exception thrown by this
    /// function is written to standard error.
    /// </remarks>
    public Action<Exception>? UnhandledException { get; set; } = UnhandledErrors.WriteToStandardError;

    /// <summary>
    /// How long a loop that has just sent something polls for the next event before the kernel puts the thread to sleep. This saves the
    /// wake-up, which is most of the latency of a single ping-pong. Polling stops by itself while it finds nothing, so an idle loop uses no
    /// CPU. 50 microseconds by default; <see cref="TimeSpan.Zero"/> turns it off.
    /// </summary>
    public TimeSpan BusyPoll { get; set; } = TimeSpan.FromMicroseconds(50);

    /// <summary>
    /// A callback that blocks the loop for longer than this is logged as a warning, with its name, and counted, when it ends. 100 ms by
    /// default; <see cref="Timeout.InfiniteTimeSpan"/> turns the measurement off.
    /// </summary>
    /// <remarks>
    /// A callback that blocks the loop for a second (or this threshold, if longer) is also logged while it does, by another thread: so even
    /// one that never ends because it waits for the loop itself is seen. In the first 100 turns of a loop, when its code is compiled, the
    /// line at the end is at Debug.
    /// </remarks>
    public TimeSpan StallThreshold { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The name of the loop in logs and metrics, and of its thread if the loop has its own.</summary>
    public string Name { get; set; } = "IOLoop";

    /// <summary>The system call that the loop waits with.</summary>
    public PollerKind Poller { get; set; }

    /// <summary>Resolves names instead of the system. For tests: one that does not answer, for example.</summary>
    internal Func<string, AddressFamily, CancellationToken, Task<IPAddress[]>>? Lookup { get; set; }

    /// <summary>Null if the log already has the exceptions.</summary>
    internal Action<Exception>? EffectiveUnhandledException =>
        UnhandledException == UnhandledErrors.WriteToStandardError && LoggerFactory != NullLoggerFactory.Instance
            ? null
            : UnhandledException;

    internal void Validate(string name)
    {
        OptionCheck.NotNull(TimeProvider, name);
        OptionCheck.NotNull(LoggerFactory, name);
        OptionCheck.NotNull(Name, name);
        OptionCheck.NotNegative(BusyPoll, name);
        OptionCheck.NotNegative(StallThreshold, name);
        OptionCheck.Defined(Poller, name);
    }
}
