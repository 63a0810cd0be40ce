using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Waterspout.Tests.Tls;

/// <summary>What goes wrong in TLS itself, with the platform's SslStream at the other end: each side is told what it was.</summary>
public abstract class FailureTests(PollerKind poller) : TlsTest(poller)
{
    [Fact]
    public void A_client_hears_why_the_server_refuses_it() => Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        SslServerAuthenticationOptions serverOptions = TestCertificates.ServerOptions();
        serverOptions.EnabledSslProtocols = SslProtocols.Tls12;
        SslClientAuthenticationOptions clientOptions = TestCertificates.ClientOptions();
        clientOptions.EnabledSslProtocols = SslProtocols.Tls13;
        SslIOStream server = new(left, serverOptions);
        using SslStream client = new(new NetworkStream(right, ownsSocket: true));
        AuthenticationException told = await Assert.ThrowsAsync<AuthenticationException>(() => client.AuthenticateAsClientAsync(clientOptions));
        Assert.Contains("alert", told.ToString());
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(() => server.WaitForHandshakeAsync().AsTask());
        Assert.IsType<AuthenticationException>(error.InnerException);
    });

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_record_that_was_changed_on_the_way_is_an_error_and_no_end(SslProtocols protocol) => Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        SslServerAuthenticationOptions serverOptions = TestCertificates.ServerOptions();
        serverOptions.EnabledSslProtocols = protocol;
        SslIOStream client = new(left, TestCertificates.ClientOptions(), new IOStreamOptions { AllowTruncation = true });
        using ChangingStream transport = new(new NetworkStream(right, ownsSocket: true));
        using SslStream server = new(transport);
        await Task.WhenAll(server.AuthenticateAsServerAsync(serverOptions), client.WaitForHandshakeAsync().AsTask());
        await server.WriteAsync("whole"u8.ToArray());
        Assert.Equal("whole", Text(await client.ReadBytesAsync(5)));
        Task<byte[]> read = client.ReadUntilCloseAsync().AsTask();
        transport.Changes = true;
        await server.WriteAsync("changed"u8.ToArray());
        Assert.Equal(CloseReason.Error, (await Assert.ThrowsAsync<StreamClosedException>(() => read)).Reason);
        Assert.Equal(CloseReason.Error, client.CloseReason);
    }, "closed: Error");

    private void Run(Func<Task> body, string expectLog)
    {
        ExpectLog(expectLog);
        Run(body);
    }

    /// <summary>Changes the last byte of what is written.</summary>
    private sealed class ChangingStream(Stream inner) : DelegatingStream(inner)
    {
        internal bool Changes { get; set; }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            byte[] copy = buffer.ToArray();
            if (Changes) copy[^1] ^= 1;
            return base.WriteAsync(copy, cancellationToken);
        }
    }
}

public sealed class EpollFailureTests() : FailureTests(PollerKind.Epoll);

public sealed class PortableFailureTests() : FailureTests(PollerKind.Portable);
