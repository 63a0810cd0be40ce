using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

namespace Waterspout.Kestrel.Tests;

/// <summary>What is between client and server.</summary>
public enum Wire
{
    Tcp,
    Unix,

    /// <summary>Kestrel's TLS, on the pipes of the transport.</summary>
    Https,

    /// <summary>TLS of the library, below the pipes. It needs its transport.</summary>
    WaterspoutHttps,
}

/// <summary>Runs the test once on each transport over each wire.</summary>
public sealed class OnEachWireAttribute : DataAttribute
{
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker) =>
        new([.. from transport in Enum.GetValues<TransportKind>()
                from wire in Enum.GetValues<Wire>()
                where transport != TransportKind.Stock || wire != Wire.WaterspoutHttps
                select new TheoryDataRow(transport, wire).WithTrait("transport", transport.ToString())]);

    public override bool SupportsDiscoveryEnumeration() => true;
}
