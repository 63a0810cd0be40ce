namespace Waterspout.Interop.Tests;

/// <summary>Runs a test on its own loop, with a limit that only a hang reaches.</summary>
internal static class TestLoop
{
    internal static void Run(Func<Task> test, int seconds = 60)
    {
        using IOLoop loop = new();
        loop.RunSync(test, TimeSpan.FromSeconds(seconds));
    }
}
