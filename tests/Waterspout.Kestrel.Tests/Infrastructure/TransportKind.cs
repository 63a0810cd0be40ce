namespace Waterspout.Kestrel.Tests;

/// <summary>What carries Kestrel's connections. A test that passes on both describes what Kestrel's own transport does too.</summary>
public enum TransportKind
{
    Stock,
    Waterspout,
}
