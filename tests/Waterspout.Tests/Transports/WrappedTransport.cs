using System.IO.Pipelines;
using System.Net.Security;
using System.Net.Sockets;
using Waterspout.Tests.Tls;

namespace Waterspout.Tests;

/// <summary>What .NET has, under streams of ours: network streams, TLS over them, and pipes in memory.</summary>
public sealed class WrappedTransport(Wrapped kind) : Transport
{
    public override bool HasResets => false;

    public override int Rounds(int many) => kind == Wrapped.Tls ? many / 5 : many;

    public override async Task<(BaseIOStream Left, BaseIOStream Right)> ConnectAsync(IOStreamOptions? options) => kind switch
    {
        Wrapped.Pipe => ConnectPipes(options),
        Wrapped.Socket => Wrap(ConnectSockets(), options),
        _ => Wrap(await SecureAsync(ConnectSockets()), options),
    };

    private static (BaseIOStream, BaseIOStream) Wrap((Stream Left, Stream Right) ends, IOStreamOptions? options) =>
        (new WrappedIOStream(ends.Left, options), new WrappedIOStream(ends.Right, options));

    private static (BaseIOStream, BaseIOStream) ConnectPipes(IOStreamOptions? options)
    {
        (IDuplexPipe left, IDuplexPipe right) = DuplexPipe.CreatePair();
        return (new WrappedIOStream(left, options), new WrappedIOStream(right, options));
    }

    private static (Stream Left, Stream Right) ConnectSockets()
    {
        (Socket left, Socket right) = SocketPair.Unix();
        return (new NetworkStream(left, ownsSocket: true), new NetworkStream(right, ownsSocket: true));
    }

    private static async Task<(Stream Left, Stream Right)> SecureAsync((Stream Left, Stream Right) ends)
    {
        SslStream client = new(ends.Left), server = new(ends.Right);
        await Task.WhenAll(
            client.AuthenticateAsClientAsync(TestCertificates.ClientOptions()),
            server.AuthenticateAsServerAsync(TestCertificates.ServerOptions()));
        return (client, server);
    }
}

/// <summary>What is wrapped.</summary>
public enum Wrapped
{
    Socket,
    Tls,
    Pipe,
}

/// <summary>One of two ends of a connection in memory.</summary>
internal sealed record DuplexPipe(PipeReader Input, PipeWriter Output) : IDuplexPipe
{
    internal static (DuplexPipe Left, DuplexPipe Right) CreatePair()
    {
        Pipe there = new(), back = new();
        return (new DuplexPipe(back.Reader, there.Writer), new DuplexPipe(there.Reader, back.Writer));
    }
}
