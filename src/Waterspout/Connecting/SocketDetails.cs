using System.Net.Sockets;
using Waterspout.Interop;

namespace Waterspout.Connecting;

/// <summary>What is known of a connection beside its descriptor: made when somebody asks, so that an idle stream does not hold it.</summary>
internal sealed class SocketDetails
{
    private static long s_last;

    /// <summary>Names the connection. Unlike its descriptor it is never used again.</summary>
    internal long Number { get; } = NextNumber();

    internal Socket? Socket { get; set; }

    /// <summary>The stream that has the connection since an upgrade. Held weakly: it may be dropped though the plain one is kept.</summary>
    internal WeakReference<SslIOStream>? Upgraded { get; set; }

    internal byte[]? Peer { get; private set; }

    internal byte[]? Local { get; private set; }

    /// <summary>A number that nothing else in this process has been called by.</summary>
    internal static long NextNumber() => Interlocked.Increment(ref s_last);

    /// <summary>Keeps what the descriptor says for when it is closed.</summary>
    internal void Keep(int fd)
    {
        Peer = SocketAddresses.GetPeer(fd, wasConnected: true);
        Local = SocketAddresses.GetLocal(fd);
    }
}
