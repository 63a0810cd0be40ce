using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Waterspout.Interop.Tests;

/// <summary>The platform's own SslStream, over its own NetworkStream, at the other end.</summary>
public sealed class TlsPlatformTests
{
    private const int Length = 1024 * 1024;

    [Theory]
    [InlineData(SslProtocols.Tls12, true)]
    [InlineData(SslProtocols.Tls12, false)]
    [InlineData(SslProtocols.Tls13, true)]
    [InlineData(SslProtocols.Tls13, false)]
    public void A_peer_of_the_platform_exchanges_a_megabyte_and_both_ends_are_regular(SslProtocols protocol, bool isPeerTheClient) => TestLoop.Run(async () =>
    {
        using TlsFolder folder = new();
        (Socket ours, Socket theirs) = await ConnectAsync();
        SslServerAuthenticationOptions server = folder.ServerOptions();
        server.EnabledSslProtocols = protocol;
        using SslIOStream stream = isPeerTheClient ? new(ours, server) : new(ours, folder.ClientOptions());
        using WatchedStream transport = new(theirs);
        using SslStream peer = new(transport);
        Task handshake = isPeerTheClient ? peer.AuthenticateAsClientAsync(folder.ClientOptions()) : peer.AuthenticateAsServerAsync(server);
        await Task.WhenAll(handshake, stream.WaitForHandshakeAsync().AsTask());
        Assert.Equal(protocol, stream.SslProtocol);
        await ExchangeAsync(stream, peer, transport);
    });

    private static async Task ExchangeAsync(SslIOStream stream, SslStream peer, WatchedStream transport)
    {
        byte[] toPeer = Data(1);
        byte[] fromPeer = Data(2);
        byte[] received = new byte[Length];
        Task writing = peer.WriteAsync(fromPeer).AsTask();
        Task reading = peer.ReadExactlyAsync(received).AsTask();
        await stream.WriteAsync(toPeer.AsMemory());
        byte[] read = await stream.ReadBytesAsync(Length);
        Assert.True(fromPeer.AsSpan().SequenceEqual(read));
        await Task.WhenAll(writing, reading);
        Assert.True(toPeer.AsSpan().SequenceEqual(received));

        // SslStream returns 0 at any EOF, but after close_notify it does not read from its transport again.
        ValueTask<byte[]> rest = stream.ReadUntilCloseAsync();
        await peer.ShutdownAsync();
        Assert.Empty(await rest);
        Assert.Equal(CloseReason.EndOfStream, stream.CloseReason);
        Assert.Equal(0, await peer.ReadAsync(received));
        Assert.False(transport.HasSeenEnd, "The connection ended without close_notify.");
    }

    private static byte[] Data(int seed)
    {
        byte[] data = new byte[Length];
        new Random(seed).NextBytes(data);
        return data;
    }

    private static async Task<(Socket Ours, Socket Theirs)> ConnectAsync()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        Socket ours = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Task<Socket> accepting = listener.AcceptSocketAsync();
        await ours.ConnectAsync(listener.LocalEndpoint);
        return (ours, await accepting);
    }

    /// <summary>Records that EOF of the transport was seen.</summary>
    private sealed class WatchedStream(Socket socket) : NetworkStream(socket, ownsSocket: true)
    {
        internal bool HasSeenEnd { get; private set; }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int count = await base.ReadAsync(buffer, cancellationToken);
            HasSeenEnd |= count == 0 && buffer.Length > 0;
            return count;
        }
    }
}
