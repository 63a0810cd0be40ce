using System.Net.Security;
using System.Net.Sockets;
using Waterspout.Tls;

namespace Waterspout.Tests.Tls;

/// <summary>What goes on between a TLS stream, SslStream and the transport underneath.</summary>
public abstract class EngineTests(PollerKind poller) : TlsTest(poller)
{
    [Fact]
    public void What_TLS_itself_has_to_send_does_not_stop_a_write_that_waits() => Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        TlsTransport transport = new(left, new IOStreamOptions(), Loop);
        using SslIOStream stream = new(TestCertificates.ClientOptions(), null, transport, null);
        using SslStream peer = new(new NetworkStream(right));
        await Task.WhenAll(peer.AuthenticateAsServerAsync(TestCertificates.ServerOptions()), stream.WaitForHandshakeAsync().AsTask());
        using IOStream raw = new(right);
        Task write = stream.WriteAsync((ReadOnlyMemory<byte>)new byte[24 * 1024 * 1024]).AsTask();
        Task<byte[]> drain = raw.ReadUntilCloseAsync().AsTask();

        // As the answer to a key update would, comes when the transport has just sent everything and the stream has not been told yet.
        int count = 0;
        while (!write.IsCompleted)
        {
            if (transport.IsFlushed)
            {
                transport.WriteWithoutWaiting("?"u8);
                count++;
            }

            await Turn();
        }

        await write;
        Assert.NotEqual(0, count);
        raw.Close();
        await Assert.ThrowsAsync<StreamClosedException>(() => drain);
    });
}

public sealed class EpollEngineTests() : EngineTests(PollerKind.Epoll);

public sealed class PortableEngineTests() : EngineTests(PollerKind.Portable);
