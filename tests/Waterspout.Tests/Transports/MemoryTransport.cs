using Waterspout.Testing;

namespace Waterspout.Tests;

/// <summary>Streams that are connected in memory, without the kernel.</summary>
public sealed class MemoryTransport : Transport
{
    public override int MoreThanTheKernelTakes => 1_000_000;

    public override Task<(BaseIOStream Left, BaseIOStream Right)> ConnectAsync(IOStreamOptions? options)
    {
        (MemoryIOStream left, MemoryIOStream right) = MemoryIOStream.CreatePair(options);
        return Task.FromResult<(BaseIOStream, BaseIOStream)>((left, right));
    }
}
