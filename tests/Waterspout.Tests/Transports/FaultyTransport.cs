using System.Net.Sockets;
using Waterspout.Testing;
using Waterspout.Tests.Tls;

namespace Waterspout.Tests;

/// <summary>Unix sockets of which each does what its script says; without a script, a subclass that replaces the system calls.</summary>
/// <param name="bytesPerCall">The most that a receive or send moves.</param>
public sealed class FaultyTransport(int? bytesPerCall = null) : Transport
{
    public override bool IsBytewise => bytesPerCall == 1;

    public override int MoreThanTheKernelTakes => IsBytewise ? 100_000 : base.MoreThanTheKernelTakes;

    public override int Rounds(int many) => IsBytewise ? many / 8 : many;

    public override Task<(BaseIOStream Left, BaseIOStream Right)> ConnectAsync(IOStreamOptions? options)
    {
        (Socket left, Socket right) = SocketPair.Unix();
        return Task.FromResult<(BaseIOStream, BaseIOStream)>((MakeStream(left, options), MakeStream(right, options)));
    }

    private FaultyIOStream MakeStream(Socket socket, IOStreamOptions? options)
    {
        FaultyIOStream stream = new(socket, options);
        stream.Receives.BytesPerCall = stream.Sends.BytesPerCall = bytesPerCall;
        return stream;
    }
}
