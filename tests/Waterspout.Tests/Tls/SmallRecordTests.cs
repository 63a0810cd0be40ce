using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Waterspout.Tests.Tls;

/// <summary>
/// Records that cost far more than their bytes suggest: their share of a turn is bounded by time, and none of them is lost.
/// </summary>
[OnEachPoller]
public sealed class SmallRecordTests : TlsTest
{
    private const int Records = 20_000;

    private Socket? _socket; // the peer's

    [Theory]
    [MemberData(nameof(Protocols))]
    public void Records_of_one_byte_do_not_starve_other_streams(SslProtocols protocol) => Run(async () =>
    {
        (SslIOStream stream, SslStream peer) = await ConnectAsync(protocol);
        await SendAsync(peer);
        long before = Loop.Turn;
        byte[] data = await stream.ReadBytesAsync(Records);
        Assert.Equal(Enumerable.Range(0, Records).Select(i => (byte)i), data);
        // By bytes alone all of them fit into two.
        Assert.True(Loop.Turn - before > 50);
        stream.Close();
        peer.Dispose();
    });

    [Theory]
    [MemberData(nameof(Protocols))]
    public void What_waits_for_the_next_turn_is_read_before_the_end(SslProtocols protocol) => Run(async () =>
    {
        (SslIOStream stream, SslStream peer) = await ConnectAsync(protocol);
        await stream.WriteAsync("!"u8);
        Assert.Equal(1, await peer.ReadAsync(new byte[1])); // closing with unread data would be a reset
        await SendAsync(peer);
        await peer.ShutdownAsync();
        peer.Dispose();
        Assert.Equal(Records, (await stream.ReadUntilCloseAsync()).Length);
        Assert.Equal(CloseReason.EndOfStream, stream.CloseReason);
    });

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_close_while_records_wait_for_the_next_turn_ends_the_read(SslProtocols protocol) => Run(async () =>
    {
        (SslIOStream stream, SslStream peer) = await ConnectAsync(protocol);
        await SendAsync(peer);
        Task<byte[]> read = stream.ReadBytesAsync(Records).AsTask();
        await Turns(3);
        stream.Close();
        await Assert.ThrowsAsync<StreamClosedException>(() => read);
        peer.Dispose();
    });

    [Theory]
    [MemberData(nameof(Protocols))]
    public void What_waits_for_the_next_turn_is_read_before_a_reset(SslProtocols protocol) => Run(async () =>
    {
        (SslIOStream stream, SslStream peer) = await ConnectAsync(protocol);
        const int Few = Records / 10;
        await SendAsync(peer, 1);
        await stream.ReadBytesAsync(1); // and the session tickets before it
        // All of them have to be in the receiver's kernel: the reset drops what is in the sender's.
        await SendAsync(peer, 1);
        while (stream.Socket.Available == 0) await Turn();
        int size = stream.Socket.Available;
        await SendAsync(peer, Few - 1);
        while (stream.Socket.Available < Few * size) await Turn();
        Task<byte[]> read = stream.ReadBytesAsync(Few).AsTask();
        await Turns(3);
        _socket!.LingerState = new LingerOption(true, 0);
        _socket.Dispose();
        Assert.Equal(Few, (await read).Length);
        await Assert.ThrowsAsync<StreamClosedException>(() => stream.ReadBytesAsync(1).AsTask());
        Assert.Equal(CloseReason.Reset, stream.CloseReason);
        peer.Dispose();
    });

    private async Task<(SslIOStream Stream, SslStream Peer)> ConnectAsync(SslProtocols protocol)
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        _socket = right;
        left.ReceiveBufferSize = 4 * 1024 * 1024;
        right.SendBufferSize = 4 * 1024 * 1024;
        SslIOStream stream = new(left, TestCertificates.ClientOptions());
        SslStream peer = new(new NetworkStream(right, ownsSocket: true));
        SslServerAuthenticationOptions options = TestCertificates.ServerOptions();
        options.EnabledSslProtocols = protocol;
        await Task.WhenAll(peer.AuthenticateAsServerAsync(options), stream.WaitForHandshakeAsync().AsTask());
        return (stream, peer);
    }

    private static Task SendAsync(SslStream peer, int records = Records) => Task.Run(() =>
    {
        for (int i = 0; i < records; i++) peer.Write([(byte)i]);
    });
}
