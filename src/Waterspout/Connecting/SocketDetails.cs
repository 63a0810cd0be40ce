using System.Net.Sockets;
using Waterspout.Interop;

namespace Waterspout.Connecting;

/// <summary>What is known of a connection beside its descriptor. Created on demand, so that an idle stream does not hold it.</summary>
internal sealed class SocketDetails
{
    private static long s_last;

    /// <summary>Names the connection. Unlike its descriptor it is never reused.</summary>
    internal long Number { get; } = NextNumber();

    internal Socket? Socket { get; set; }

    /// <summary>
    /// The stream that owns the connection after an upgrade. A weak reference: it may be dropped while the plain stream is kept.
    /// </summary>
    internal WeakReference<IOStream>? Upgraded { get; set; }

    /// <summary>What the proxy in front of a server has said.</summary>
    internal ProxyHeader? Proxy { get; set; }

    /// <summary>The connection that has taken over the descriptor; null if none has.</summary>
    internal ITaker? Taker { get; set; }

    internal byte[]? Peer { get; private set; }

    internal byte[]? Local { get; private set; }

    /// <summary>A number that is unique in this process.</summary>
    internal static long NextNumber() => Interlocked.Increment(ref s_last);

    /// <summary>Saves the descriptor's addresses before it is closed.</summary>
    internal void Keep(Descriptor fd)
    {
        Peer = SocketAddresses.GetPeer(fd, wasConnected: true);
        Local = SocketAddresses.GetLocal(fd);
    }
}
