using System.Net.Sockets;

namespace Waterspout.Testing;

/// <summary>One of two streams that are connected in memory: everything a connection does, without the kernel.</summary>
/// <remarks>
/// <para>Data, backpressure, half-close, close and reset are those of a socket pair: at most a fixed number of bytes is on its way in each
/// direction; the end of a side comes behind its data; a stream that closes with something unread resets the other one, which still reads
/// what was sent before and then fails with <see cref="SocketError.ConnectionReset"/>. Needs no descriptor, so it works where sockets are
/// forbidden, and a test does not depend on the sizes of the kernel's buffers.</para>
/// <para>This is also an example of a stream that has no descriptor: it uses public and protected members of <see cref="BaseIOStream"/>
/// only.</para>
/// </remarks>
public sealed class MemoryIOStream : BaseIOStream
{
    /// <summary>How many bytes are on their way in each direction at most, unless a pair is created with another number: 64 KiB.</summary>
    public const int DefaultCapacity = 64 * 1024;

    private static long s_pairs;

    private readonly MemoryChannel _incoming;
    private readonly MemoryChannel _outgoing;
    private readonly string _name;

    // Weak, so that a stream that was dropped can be finalized, which ends it for the other one.
    private WeakReference<MemoryIOStream>? _peer;

    private MemoryIOStream(MemoryChannel incoming, MemoryChannel outgoing, string name, IOStreamOptions? options, IOLoop? loop)
        : base(options, loop) => (_incoming, _outgoing, _name) = (incoming, outgoing, name);

    /// <inheritdoc/>
    // The other end reports when there is more to read, or more room.
    protected override DescriptorTraits Traits => DescriptorTraits.ShortMeansBlocked;

    /// <summary>Creates two connected streams on one loop.</summary>
    /// <param name="options">Limits and settings of both; null for the defaults.</param>
    /// <param name="loop">The loop of both; <see cref="IOLoop.Current"/> when null.</param>
    /// <param name="capacity">How many bytes are on their way in each direction at most. What is beyond that waits to be sent.</param>
    /// <remarks>May be called from any thread.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The capacity is not positive, or an option is out of range.</exception>
    /// <exception cref="ObjectDisposedException">The loop has been disposed.</exception>
    public static (MemoryIOStream First, MemoryIOStream Second) CreatePair(
        IOStreamOptions? options = null, IOLoop? loop = null, int capacity = DefaultCapacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        MemoryChannel there = new(capacity), back = new(capacity);
        long number = Interlocked.Increment(ref s_pairs);
        MemoryIOStream first = new(back, there, $"{nameof(MemoryIOStream)} {number}a", options, loop);
        MemoryIOStream second = new(there, back, $"{nameof(MemoryIOStream)} {number}b", options, loop);
        (first._peer, second._peer) = (new(second), new(first));
        return (first, second);
    }

    /// <summary>The name of the stream in logs: the class, the number of the pair, and which end it is.</summary>
    public override string ToString() => _name;

    /// <inheritdoc/>
    protected override int? ReadFromFd(Span<byte> buffer)
    {
        int? count = _incoming.Read(buffer, out bool wasFull);
        if (count > 0 && wasFull) Report(IOEvents.Write);
        return count;
    }

    /// <inheritdoc/>
    protected override int? WriteToFd(ReadOnlySpan<byte> data)
    {
        int? count = _outgoing.Write(data, out bool wasEmpty);
        if (count > 0 && wasEmpty) Report(IOEvents.Read);
        return count;
    }

    /// <inheritdoc/>
    protected override Exception? GetFdError() => _incoming.IsReset ? new SocketException((int)SocketError.ConnectionReset) : null;

    /// <inheritdoc/>
    protected override bool ShutdownWrites()
    {
        _outgoing.End(isReset: false);
        Report(IOEvents.ReadClosed);
        return true;
    }

    /// <inheritdoc/>
    protected override void CloseFd()
    {
        // Null where the constructor failed, and only the finalizer comes here.
        if (_outgoing is null) return;
        bool isReset = _incoming.Abandon();
        _outgoing.End(isReset);
        // Blocked writes find out as well that there is no reader.
        Report(IOEvents.ReadClosed | IOEvents.Write | (isReset ? IOEvents.Error : IOEvents.None));
    }

    // Later: this is inside a hook, and the other end may call hooks of this one.
    private void Report(IOEvents events)
    {
        if (_peer is { } peer && peer.TryGetTarget(out MemoryIOStream? stream)) stream.NotifyReadyLater(events);
    }
}
