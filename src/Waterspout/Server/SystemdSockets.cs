using System.Globalization;
using System.Net.Sockets;
using Waterspout.Interop;

namespace Waterspout;

/// <summary>The sockets that systemd has opened for this process (socket activation), or another supervisor by the same protocol.</summary>
/// <remarks>
/// The supervisor passes descriptors from 3 on, and says how many in <c>LISTEN_FDS</c>, for which process in <c>LISTEN_PID</c>, and their
/// names in <c>LISTEN_FDNAMES</c>. These variables are read at the first call and then unset, and the descriptors are closed on exec, so
/// that child processes do not take them for their own. All members may be called from any thread.
/// </remarks>
public static class SystemdSockets
{
    private const int FirstNumber = 3;

    private static readonly Lock s_lock = new();
    private static List<(string Name, Descriptor Descriptor)>? s_waiting;

    /// <summary>Takes the sockets that have not been taken yet.</summary>
    /// <param name="name">
    /// Only those of this name: the <c>FileDescriptorName=</c> of the socket unit, by default the name of the unit. Null for all.
    /// </param>
    /// <returns>
    /// The sockets, in the order of the descriptors, for <see cref="TcpServer.Listen(Socket)"/>. The caller owns them. None if the process
    /// was not activated by sockets.
    /// </returns>
    /// <remarks>A descriptor that is not a socket, a FIFO for example, is left open and not returned.</remarks>
    /// <exception cref="InvalidOperationException">
    /// <c>LISTEN_FDS</c> is meant for this process, and not a number of descriptors.
    /// </exception>
    public static IReadOnlyList<Socket> Take(string? name = null)
    {
        lock (s_lock)
        {
            s_waiting ??=
                [.. ReadNames(Environment.GetEnvironmentVariable, Environment.ProcessId).Select(static (name, i) => Claim(name, i))];
            foreach (string variable in (string[])["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"])
                Environment.SetEnvironmentVariable(variable, null);
            List<(string Name, Descriptor Descriptor)> taken = s_waiting.FindAll(each =>
                (name is null || each.Name == name) && Sockets.IsSocket(each.Descriptor));
            s_waiting.RemoveAll(taken.Contains);
            return [.. taken.Select(static each => new Socket(each.Descriptor.ToSocketHandle()))];
        }
    }

    /// <summary>The names of the descriptors that are meant for the process, in their order.</summary>
    internal static IReadOnlyList<string> ReadNames(Func<string, string?> variable, int process)
    {
        // Variables that a parent process was meant to unset, and has not, are those of another process.
        if (variable("LISTEN_PID") != process.ToString(CultureInfo.InvariantCulture) || variable("LISTEN_FDS") is not { } number) return [];
        if (!int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int count) || count > int.MaxValue - FirstNumber)
            throw new InvalidOperationException($"LISTEN_FDS is '{number}', which is not a number of descriptors.");
        string[] names = variable("LISTEN_FDNAMES")?.Split(':') ?? [];
        // The name that systemd itself has for those without one.
        return [.. Enumerable.Range(0, count).Select(i => i < names.Length ? names[i] : "unknown")];
    }

    private static (string Name, Descriptor Descriptor) Claim(string name, int index)
    {
        Descriptor passed = new(FirstNumber + index);
        FileDescriptors.CloseOnExec(passed);
        return (name, passed);
    }
}
