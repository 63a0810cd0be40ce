namespace Waterspout.Interop;

/// <summary>Signals to other processes.</summary>
internal static class Signals
{
    private const int SIGTERM = 15;

    /// <summary>Sends SIGTERM. A process that does not exist any more is no error.</summary>
    internal static void Terminate(int pid) => _ = LibC.kill(pid, SIGTERM);
}
