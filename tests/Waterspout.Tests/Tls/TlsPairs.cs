using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Waterspout.Tests.Tls;

/// <summary>Two connected TLS streams, for the contracts.</summary>
public class TlsPairs(SslProtocols protocol, bool isClientLeft, Relaying? relaying = null) : Transport
{
    public override bool IsBytewise => relaying == Relaying.Bytewise;

    // Without close_notify it is unknown whether more was to come.
    public override CloseReason ReasonOfAbruptClose => CloseReason.Truncated;

    // The peer's close_notify comes after the data.
    public override CloseReason ReasonOfKnownEnd => CloseReason.None;

    // A handshake takes milliseconds, and there are many kinds of TLS streams.
    public override int Rounds(int many) => many / 5;

    public override async Task<(BaseIOStream Left, BaseIOStream Right)> ConnectAsync(IOStreamOptions? options)
    {
        (Socket left, Socket right) = MakeSockets();
        (Socket client, Socket server) = isClientLeft ? (left, right) : (right, left);
        SslServerAuthenticationOptions serverOptions = TestCertificates.ServerOptions();
        serverOptions.EnabledSslProtocols = protocol;
        SslIOStream[] ends = await HandshakeAsync(client, server, TestCertificates.ClientOptions(), serverOptions, options);
        // The session tickets of TLS 1.3 come with the first data. A client that closes with them unread resets the connection.
        await ends[1].WriteAsync("!"u8);
        await WithoutLimit(() => ends[0].ReadBytesAsync(1));
        return isClientLeft ? (ends[0], ends[1]) : (ends[1], ends[0]);
    }

    // The options may have a time limit for reads that is shorter than this takes.
    protected static async Task WithoutLimit(Func<ValueTask<byte[]>> read)
    {
        while (true)
        {
            try
            {
                await read();
                return;
            }
            catch (TimeoutException)
            {
            }
        }
    }

    protected virtual async Task<SslIOStream[]> HandshakeAsync(
        Socket client, Socket server, SslClientAuthenticationOptions clientOptions, SslServerAuthenticationOptions serverOptions, IOStreamOptions? options)
    {
        SslIOStream[] ends = [new(client, clientOptions, options), new(server, serverOptions, options)];
        foreach (SslIOStream end in ends) await end.WaitForHandshakeAsync();
        return ends;
    }

    private (Socket Left, Socket Right) MakeSockets()
    {
        if (relaying is null) return SocketPair.TcpWithBuffers(BufferSize);
        Relay relay = new Relay(relaying.Value, BufferSize).Start();
        return (relay.Left, relay.Right);
    }
}

/// <summary>Two streams that were plain, and have been upgraded.</summary>
public sealed class UpgradedPairs(SslProtocols protocol, bool isClientLeft) : TlsPairs(protocol, isClientLeft)
{
    protected override async Task<SslIOStream[]> HandshakeAsync(
        Socket client, Socket server, SslClientAuthenticationOptions clientOptions, SslServerAuthenticationOptions serverOptions, IOStreamOptions? options)
    {
        IOStream plainClient = new(client, options), plainServer = new(server, options);
        await plainClient.WriteAsync("STARTTLS\r\n"u8);
        await WithoutLimit(() => plainServer.ReadUntilAsync("\r\n"u8));
        await plainServer.WriteAsync("220 go ahead\r\n"u8);
        await plainServer.FlushAsync();
        await WithoutLimit(() => plainClient.ReadUntilAsync("\r\n"u8));
        Task<SslIOStream> upgradedServer = plainServer.StartTlsAsync(serverOptions).AsTask();
        return [await plainClient.StartTlsAsync(clientOptions), await upgradedServer];
    }
}
