using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;

namespace Waterspout.Tests.Tls;

/// <summary>Failures of TLS itself, with the platform's SslStream at the other end: both sides get the cause.</summary>
[OnEachPoller]
public sealed class FailureTests : TlsTest
{
    [Fact]
    public void A_refused_client_receives_the_alert() => Run(async () =>
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
        AssertOneLine(server, "unsupported protocol");
        Assert.Equal(1, Loop.Counters.HandshakesFailed);
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
        AssertOneLine(client, "decrypt");
    });

    [Fact]
    public void An_end_that_came_with_the_handshake_is_reported_without_a_read() => Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        SslServerAuthenticationOptions serverOptions = TestCertificates.ServerOptions();
        // Here the server's last flight is its second write; in a resumed session, its first.
        serverOptions.EnabledSslProtocols = SslProtocols.Tls12;
        serverOptions.AllowTlsResume = false;
        SslIOStream client = new(left, TestCertificates.ClientOptions());
        Task closed = WhenClosed(client);
        using EndingStream transport = new(right);
        using SslStream server = new(transport);
        await Task.WhenAll(server.AuthenticateAsServerAsync(serverOptions), client.WaitForHandshakeAsync().AsTask());
        await closed;
        Assert.Equal(CloseReason.Truncated, client.CloseReason);
    });

    [Fact]
    public void A_client_without_the_certificate_that_is_asked_for_has_one_line() => Run(async () =>
    {
        SslServerAuthenticationOptions options = TestCertificates.ServerOptions();
        options.EnabledSslProtocols = SslProtocols.Tls12;
        options.ClientCertificateRequired = true;
        options.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null;
        (Socket left, Socket right) = SocketPair.Tcp();
        SslIOStream server = new(left, options);
        using SslStream client = new(new NetworkStream(right, ownsSocket: true));
        await Record.ExceptionAsync(() => client.AuthenticateAsClientAsync(TestCertificates.ClientOptions()));
        await Assert.ThrowsAsync<StreamClosedException>(() => server.WaitForHandshakeAsync().AsTask());
        AssertOneLine(server, "certificate");
    });

    [Fact]
    public void Who_only_connects_and_leaves_is_no_line_but_for_debugging() => Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        SslIOStream server = new(left, TestCertificates.ServerOptions());
        right.Close();
        await Assert.ThrowsAsync<StreamClosedException>(() => server.WaitForHandshakeAsync().AsTask());
        Assert.DoesNotContain(Log.Lines, line => line.Level > LogLevel.Debug);
    });

    private void AssertOneLine(SslIOStream stream, string part)
    {
        LogLine line = Assert.Single(Log.Lines, line => line.Message.Contains(" closed: "));
        Assert.StartsWith($"{stream} closed: ", line.Message);
        Assert.Contains(part, line.Message);
        Assert.Equal(LogLevel.Information, line.Level);
        Assert.Null(line.Error);
        Assert.DoesNotContain('\n', line.Message);
    }

    /// <summary>Sends EOF right after the second write, which is the last of a server's handshake.</summary>
    private sealed class EndingStream(Socket socket) : DelegatingStream(new NetworkStream(socket, ownsSocket: true))
    {
        private int _writes;

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await base.WriteAsync(buffer, cancellationToken);
            if (++_writes == 2) socket.Shutdown(SocketShutdown.Send);
        }
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
