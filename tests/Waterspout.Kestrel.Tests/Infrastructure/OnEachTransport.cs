using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

namespace Waterspout.Kestrel.Tests;

/// <summary>Runs the test once on each transport.</summary>
public sealed class OnEachTransportAttribute : DataAttribute
{
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker) =>
        new([.. Enum.GetValues<TransportKind>().Select(static kind => new TheoryDataRow(kind).WithTrait("transport", kind.ToString()))]);

    public override bool SupportsDiscoveryEnumeration() => true;
}
