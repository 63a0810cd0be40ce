namespace Waterspout.Interop.Tests;

/// <summary>Tests that count or measure what the whole process has, and so run beside no other one.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    internal const string Name = "alone";
}
