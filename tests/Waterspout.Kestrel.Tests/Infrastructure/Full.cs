namespace Waterspout.Kestrel.Tests;

/// <summary>Whether there is time for tests that take minutes: WATERSPOUT_FULL=1 in the environment.</summary>
internal static class Full
{
    internal static bool IsOn { get; } = Environment.GetEnvironmentVariable("WATERSPOUT_FULL") == "1";
}
