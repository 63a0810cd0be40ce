namespace Waterspout.Orleans;

/// <summary>How the connections of a silo or client are run.</summary>
public sealed class OrleansTransportOptions
{
    /// <summary>
    /// The number of event loops, each with a thread of its own. By default one for four cores, and at most 4. They only wait for
    /// connections that are ready: receiving, sending and grains run on the thread pool. Each listening address and each outgoing
    /// connection is given to the next one.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is not from 1 to 1024.</exception>
    public int LoopCount
    {
        get;
        set => field = value is >= 1 and <= 1024
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, $"{nameof(LoopCount)} must be from 1 to 1024.");
    } = Math.Clamp(Environment.ProcessorCount / 4, 1, 4);

    /// <summary>
    /// Limits and settings of the connections. By default those of a stream, with probes of idle connections as Orleans' own transport
    /// sends them: after 90 seconds, every 30 seconds, and the tenth that is not answered ends the connection.
    /// </summary>
    /// <remarks>
    /// Time limits of reads and writes do not apply: Orleans has its own. What is out of range is reported by the start of the silo or
    /// client.
    /// </remarks>
    /// <exception cref="ArgumentNullException">The options are null.</exception>
    public IOStreamOptions Stream
    {
        get;
        set => field = value ?? throw new ArgumentNullException(nameof(value), $"{nameof(Stream)} must not be null.");
    } = new() { KeepAlive = new KeepAlive(TimeSpan.FromSeconds(90), TimeSpan.FromSeconds(30), 10) };
}
