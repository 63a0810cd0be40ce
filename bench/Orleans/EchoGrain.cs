using Orleans.Concurrency;
using Orleans.Placement;

namespace Waterspout.Bench.Orleans;

public interface IEchoGrain : IGrainWithIntegerKey
{
    Task<Immutable<byte[]>> EchoAsync(byte[] data);
}

[RandomPlacement]
public sealed class EchoGrain : Grain, IEchoGrain
{
    public Task<Immutable<byte[]>> EchoAsync(byte[] data) => Task.FromResult(new Immutable<byte[]>(data));
}
