using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Waterspout.Kestrel;

/// <summary>How Kestrel's connections are run. Each value is checked when it is set.</summary>
public sealed class WaterspoutTransportOptions
{
    /// <summary>
    /// The number of event loops, each with a thread of its own. By default one per core, and at most 16. The connections of all addresses
    /// that a server listens on are spread over them in turn.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is not from 1 to 1024.</exception>
    public int LoopCount
    {
        get;
        set => field = CheckRange(value, 1, 1024);
    } = Math.Min(Environment.ProcessorCount, 16);

    /// <summary>
    /// The number of connections that the system holds until they are accepted; more are refused or must try again. 512 by default. The
    /// system has a limit of its own (net.core.somaxconn).
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is less than 1.</exception>
    public int Backlog
    {
        get;
        set => field = CheckRange(value, 1, int.MaxValue);
    } = 512;

    /// <summary>Whether small segments are sent at once (TCP_NODELAY). True by default. Has no meaning for Unix sockets.</summary>
    public bool NoDelay { get; set; } = true;

    /// <summary>
    /// The number of bytes that may wait to be sent before <c>FlushAsync</c> waits for the client. 64 KiB by default. Null: no limit, so
    /// that a client that does not read makes the server hold everything that is written for it.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is less than 1.</exception>
    public long? MaxWriteBufferSize
    {
        get;
        set => field = value is null ? null : CheckRange(value.Value, 1, long.MaxValue);
    } = 64 * 1024;

    /// <summary>Which threads run the application's code. <see cref="SchedulingMode.Auto"/> by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such mode.</exception>
    public SchedulingMode Scheduling
    {
        get;
        set => field = Enum.IsDefined(value) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"{nameof(Scheduling)} has no such value.");
    }

    /// <summary>
    /// Creates the socket that is listened on, and binds it; the transport listens on it and closes it. By default as Kestrel's own
    /// transport does: both versions for <see cref="IPAddress.IPv6Any"/>, and an inherited descriptor as it came.
    /// </summary>
    /// <exception cref="ArgumentNullException">The function is null.</exception>
    public Func<EndPoint, Socket> CreateBoundListenSocket
    {
        get;
        set => field = value ?? throw new ArgumentNullException(nameof(value), $"{nameof(CreateBoundListenSocket)} must not be null.");
    } = SocketTransportOptions.CreateDefaultBoundListenSocket;

    internal IOStreamOptions ToStreamOptions() => new() { WriteHighWaterMark = (int)Math.Min(MaxWriteBufferSize ?? int.MaxValue, int.MaxValue) };

    private static T CheckRange<T>(T value, T least, T most, [CallerMemberName] string option = "") where T : IComparable<T> =>
        value.CompareTo(least) >= 0 && value.CompareTo(most) <= 0
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, $"{option} must be from {least} to {most}.");
}
