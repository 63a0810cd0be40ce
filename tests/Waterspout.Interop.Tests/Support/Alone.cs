namespace Waterspout.Interop.Tests;

/// <summary>Tests that count or measure resources of the whole process, and so run alone.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    internal const string Name = "alone";
}
