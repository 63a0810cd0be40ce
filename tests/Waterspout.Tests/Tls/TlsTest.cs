using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace Waterspout.Tests.Tls;

/// <summary>Tests of TLS streams: pairs of them, and common steps.</summary>
public abstract class TlsTest : LoopTest
{
    public static TheoryData<SslProtocols> Protocols => [SslProtocols.Tls12, SslProtocols.Tls13];

    /// <summary>Runs a body that provokes a warning or an error.</summary>
    protected void Run(Func<Task> body, string expectLog)
    {
        ExpectLog(expectLog);
        Run(body);
    }

    /// <summary>Two streams whose handshake is done.</summary>
    protected static async Task<(SslIOStream Client, SslIOStream Server)> ConnectPairAsync(
        IOStreamOptions? options = null, SslClientAuthenticationOptions? client = null, SslServerAuthenticationOptions? server = null)
    {
        (SslIOStream Client, SslIOStream Server) pair = BeginPair(options, client, server);
        await pair.Client.WaitForHandshakeAsync();
        await pair.Server.WaitForHandshakeAsync();
        return pair;
    }

    /// <summary>Two streams whose handshake has begun.</summary>
    protected static (SslIOStream Client, SslIOStream Server) BeginPair(
        IOStreamOptions? options = null, SslClientAuthenticationOptions? client = null, SslServerAuthenticationOptions? server = null)
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        return (new SslIOStream(left, client ?? TestCertificates.ClientOptions(), options), new SslIOStream(right, server ?? TestCertificates.ServerOptions(), options));
    }

    /// <summary>Closes so that the peer gets a reset.</summary>
    protected static void Reset(IOStream stream)
    {
        stream.Socket.LingerState = new LingerOption(true, 0);
        stream.Close();
    }

    protected static async Task AssertEchoes(SslIOStream one, SslIOStream other)
    {
        await one.WriteAsync("ping\n"u8);
        Assert.Equal("ping\n", Text(await other.ReadUntilAsync("\n"u8)));
        await other.WriteAsync("pong\n"u8);
        Assert.Equal("pong\n", Text(await one.ReadUntilAsync("\n"u8)));
    }

    protected static Task WhenClosed(BaseIOStream stream)
    {
        TaskCompletionSource closed = new();
        stream.SetCloseCallback(closed.SetResult);
        return closed.Task;
    }

    protected static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    protected static string Text(ReadOnlySpan<byte> data) => Encoding.Latin1.GetString(data);
}
