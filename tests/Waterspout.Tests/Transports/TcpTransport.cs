using System.Net.Sockets;
using Waterspout.Tests.Tls;

namespace Waterspout.Tests;

/// <summary>TCP over the loopback interface.</summary>
public sealed class TcpTransport : Transport
{
    public override Task<(BaseIOStream Left, BaseIOStream Right)> ConnectAsync(IOStreamOptions? options)
    {
        (Socket left, Socket right) = SocketPair.TcpWithBuffers(BufferSize);
        return Task.FromResult<(BaseIOStream, BaseIOStream)>((new IOStream(left, options), new IOStream(right, options)));
    }
}
