using System.Net;
using System.Net.Sockets;
using Waterspout.Interop;

namespace Waterspout.Testing;

/// <summary>Creates pairs of connected streams over real operating system objects.</summary>
/// <remarks>The caller owns the streams of all pairs. May be called from any thread.</remarks>
public static class StreamPair
{
    /// <summary>Two ends of a socketpair: the fastest kind, without a network.</summary>
    /// <param name="options">Limits and settings of both; null for the defaults.</param>
    /// <param name="loop">The loop of both; <see cref="IOLoop.Current"/> when null.</param>
    public static (IOStream First, IOStream Second) CreateSocketPair(IOStreamOptions? options = null, IOLoop? loop = null) =>
        IOStream.CreatePair(options, loop);

    /// <summary>Two ends of a TCP connection over the loopback: resets, half-closes and full buffers are those of TCP.</summary>
    /// <param name="options">Limits and settings of both; null for the defaults.</param>
    /// <param name="loop">The loop of both; <see cref="IOLoop.Current"/> when null.</param>
    public static (IOStream Client, IOStream Server) CreateTcp(IOStreamOptions? options = null, IOLoop? loop = null)
    {
        (Socket client, Socket server) = CreateTcpSockets();
        return MakePair(
            client, server, socket => new IOStream(socket, options, loop), socket => new IOStream(socket, options, loop));
    }

    /// <summary>Two ends of a TCP connection as sockets, for a test that plays the peer itself.</summary>
    /// <remarks>Both are in blocking mode; a stream created from one sets it to non-blocking.</remarks>
    public static (Socket Client, Socket Server) CreateTcpSockets()
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // The connection waits in the backlog, so connecting does not need an accept on another thread.
            client.Connect(listener.LocalEndPoint!);
            return (client, listener.Accept());
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>A pipe: what is written to one end is read from the other.</summary>
    /// <param name="options">Limits and settings of both; null for the defaults.</param>
    /// <param name="loop">The loop of both; <see cref="IOLoop.Current"/> when null.</param>
    public static (PipeIOStream Reader, PipeIOStream Writer) CreatePipe(IOStreamOptions? options = null, IOLoop? loop = null) =>
        PipeIOStream.CreatePair(options, loop);

    /// <summary>Two ends of a socketpair. The first one follows its fault scripts.</summary>
    /// <param name="options">Limits and settings of both; null for the defaults.</param>
    /// <param name="loop">The loop of both; <see cref="IOLoop.Current"/> when null.</param>
    public static (FaultyIOStream Faulty, IOStream Peer) CreateFaulty(IOStreamOptions? options = null, IOLoop? loop = null)
    {
        (Descriptor faulty, Descriptor peer) = Sockets.CreatePair();
        return MakePair(
            ToSocket(faulty),
            ToSocket(peer),
            socket => new FaultyIOStream(socket, options, loop),
            socket => new IOStream(socket, options, loop));
    }

    /// <summary>Creates streams over both sockets. If one cannot be created, both are closed.</summary>
    private static (TFirst First, TSecond Second) MakePair<TFirst, TSecond>(
        Socket first, Socket second, Func<Socket, TFirst> makeFirst, Func<Socket, TSecond> makeSecond)
        where TFirst : IOStream
        where TSecond : IOStream
    {
        TFirst? made = null;
        try
        {
            made = makeFirst(first);
            return (made, makeSecond(second));
        }
        catch
        {
            made?.Close();
            first.Dispose();
            second.Dispose();
            throw;
        }
    }

    private static Socket ToSocket(Descriptor fd) => new(fd.ToSocketHandle());
}
