using System.Net.Security;
using System.Security.Authentication;

namespace Waterspout.Tests.Tls;

/// <summary>A client that sends and leaves as soon as it can, while the server still sends its last flight.</summary>
/// <remarks>The client is done one flight before the server, whose session tickets then meet a closed connection.</remarks>
[OnEachPoller]
public sealed class QuickClientTests : TlsTest
{
    public static TheoryData<SslProtocols, bool> Kinds => new MatrixTheoryData<SslProtocols, bool>([SslProtocols.Tls12, SslProtocols.Tls13], [true, false]);

    [Theory]
    [MemberData(nameof(Kinds))]
    public void What_it_sent_is_read(SslProtocols protocol, bool isReading) => Run(async () =>
    {
        for (int i = 0; i < 50; i++)
        {
            SslServerAuthenticationOptions serverOptions = TestCertificates.ServerOptions();
            serverOptions.EnabledSslProtocols = protocol;
            (SslIOStream client, SslIOStream server) = BeginPair(server: serverOptions);
            Task<byte[]>? read = isReading ? server.ReadUntilAsync("done"u8).AsTask() : null;
            await client.WaitForHandshakeAsync();
            await client.WriteAsync("all is done"u8);
            await client.FlushAsync();
            client.Close();
            read ??= server.ReadUntilAsync("done"u8).AsTask();
            Assert.Equal("all is done", Text(await read));
            StreamClosedException end = await Assert.ThrowsAsync<StreamClosedException>(() => server.ReadUntilCloseAsync().AsTask());
            Assert.True(end.Reason is CloseReason.Truncated or CloseReason.Reset, $"{end.Reason}");
        }
    });

    [Fact]
    public void Much_of_it_is_read_too() => Run(async () =>
    {
        for (int i = 0; i < 20; i++)
        {
            (SslIOStream client, SslIOStream server) = BeginPair();
            await client.WaitForHandshakeAsync();
            byte[] data = new byte[50_000];
            Random.Shared.NextBytes(data);
            await client.WriteAsync((ReadOnlyMemory<byte>)data);
            await client.FlushAsync();
            client.Close();
            Assert.Equal(data, await server.ReadBytesAsync(data.Length));
            server.Close();
        }
    });
}
