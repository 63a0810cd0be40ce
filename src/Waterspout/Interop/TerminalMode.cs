namespace Waterspout.Interop;

/// <summary>The settings of terminals that streams have changed. They are those of the device, so everyone who uses it sees them.</summary>
/// <remarks>
/// The settings from before the first change are restored when the last of the streams that changed them closes, and when the process
/// ends: the shell uses the same terminal. Restored at once, not when the output has been sent: a device that sends nothing more would
/// hold the loop, or the exit.
/// </remarks>
internal sealed class TerminalMode
{
    private static readonly Lock s_lock = new();
    private static readonly Dictionary<long, TerminalMode> s_modes = []; // by the number of the device
    private static bool s_isEndWatched;

    private readonly TerminalSettings _original;
    private readonly List<Descriptor> _users = [];

    private TerminalMode(TerminalSettings original) => _original = original;

    /// <summary>Changes the settings of a terminal, until <see cref="Leave"/>.</summary>
    /// <exception cref="IOException">It is no terminal, or does not take the settings. Nothing has changed.</exception>
    internal static void Enter(Descriptor fd, bool isRaw, int? speed)
    {
        lock (s_lock)
        {
            long device = TerminalSettings.GetDevice(fd).ValueOrThrow("ioctl TIOCGDEV");
            TerminalSettings.Get(fd, out TerminalSettings before).ValueOrThrow("ioctl TCGETS2");
            Change(fd, before, isRaw, speed);
            if (!s_modes.TryGetValue(device, out TerminalMode? mode)) s_modes.Add(device, mode = new TerminalMode(before));
            mode._users.Add(fd);
            if (s_isEndWatched) return;
            s_isEndWatched = true;
            ProcessEnd.Undo(RestoreAll);
        }
    }

    /// <summary>
    /// Restores the settings, unless another stream has changed them too. Called before the descriptor is closed. Does nothing for a
    /// descriptor whose terminal was not changed.
    /// </summary>
    internal static void Leave(Descriptor fd)
    {
        lock (s_lock)
        {
            foreach ((long device, TerminalMode mode) in s_modes)
            {
                if (!mode._users.Remove(fd)) continue;
                if (mode._users.Count > 0) return;
                s_modes.Remove(device);
                mode._original.Set(fd);
                return;
            }
        }
    }

    private static void Change(Descriptor fd, TerminalSettings before, bool isRaw, int? speed)
    {
        TerminalSettings after = isRaw ? before.Raw() : before;
        if (speed is { } wanted) after = after.WithSpeed((uint)wanted);
        after.Set(fd).ValueOrThrow("ioctl TCSETS2");
        if (speed is null) return;
        // A device that cannot keep a speed takes the nearest one, or stays as it was, and reports no error.
        TerminalSettings.Get(fd, out TerminalSettings actual).ValueOrThrow("ioctl TCGETS2");
        if (IsNear(actual.Speed, speed.Value)) return;
        before.Set(fd);
        throw new IOException($"The terminal does not run at {speed} bits a second, but at {actual.Speed}.");
    }

    // Asynchronous lines allow some 2 % on each side.
    private static bool IsNear(long actual, long wanted) => Math.Abs(actual - wanted) * 50 <= wanted;

    private static void RestoreAll()
    {
        lock (s_lock)
            foreach (TerminalMode mode in s_modes.Values) mode._original.Set(mode._users[0]);
    }
}
