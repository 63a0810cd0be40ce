using System.Diagnostics;

namespace Waterspout.Diagnostics;

/// <summary>The activity source "Waterspout", for what takes long enough to be worth an activity.</summary>
internal static class Tracing
{
    internal static ActivitySource Source { get; } = new("Waterspout");
}
