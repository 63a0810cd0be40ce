using System.Runtime.InteropServices;

namespace Waterspout.Interop;

/// <summary>The end of the process, for what has to be undone before it: others use the same terminal afterwards.</summary>
/// <remarks>
/// The runtime reports a regular exit, and an exception that nothing handles. A signal that ends a process by default is not reported, so
/// the four that users and service managers send are watched; a watched signal still ends the process, unless another handler has
/// cancelled that. SIGKILL, and a crash of the runtime itself, cannot be noticed.
/// </remarks>
internal static class ProcessEnd
{
    private static readonly PosixSignal[] s_signals = [PosixSignal.SIGHUP, PosixSignal.SIGINT, PosixSignal.SIGQUIT, PosixSignal.SIGTERM];
    private static readonly List<PosixSignalRegistration> s_watched = []; // finalized registrations would watch no more

    /// <summary>Runs an action when the process ends. It may run more than once, and on any thread.</summary>
    internal static void Undo(Action action)
    {
        AppDomain.CurrentDomain.ProcessExit += (_, _) => action();
        AppDomain.CurrentDomain.UnhandledException += (_, _) => action();
        foreach (PosixSignal signal in s_signals)
        {
            s_watched.Add(PosixSignalRegistration.Create(signal, context =>
            {
                if (!context.Cancel) action();
            }));
        }
    }
}
