using Orleans.Concurrency;
using Orleans.Placement;

namespace Waterspout.Orleans.Tests;

public interface IEchoGrain : IGrainWithIntegerKey
{
    /// <summary>Returns the data, and the silo that the grain is on.</summary>
    Task<(string Silo, byte[] Data)> EchoAsync(byte[] data);

    /// <summary>Has another grain return the data, which is on another silo for some of them.</summary>
    Task<(string Silo, byte[] Data)> EchoByAsync(long other, byte[] data);
}

// Reentrant, since two of them may call each other.
[RandomPlacement, Reentrant]
public sealed class EchoGrain(ILocalSiloDetails silo) : Grain, IEchoGrain
{
    public Task<(string Silo, byte[] Data)> EchoAsync(byte[] data) => Task.FromResult((silo.SiloAddress.Endpoint.ToString(), data));

    public Task<(string Silo, byte[] Data)> EchoByAsync(long other, byte[] data) => GrainFactory.GetGrain<IEchoGrain>(other).EchoAsync(data);
}
