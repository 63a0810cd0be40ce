using System.Diagnostics;

namespace Waterspout.Diagnostics;

/// <summary>The activity source "Waterspout": what takes long enough to be worth a span of its own.</summary>
internal static class Tracing
{
    internal static ActivitySource Source { get; } = new("Waterspout");
}
