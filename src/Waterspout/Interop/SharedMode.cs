namespace Waterspout.Interop;

/// <summary>The mode of a file that streams have made non-blocking, and that others may have open too, such as the terminal behind standard input and output.</summary>
/// <remarks>
/// The mode belongs to what is open, and not to the descriptor: duplicates share it, in this process and in others. So a stream that leaves may give
/// it back only when no other stream of ours relies on it. Whether two descriptors are duplicates the kernel tells nobody without special rights;
/// that they are of the same file, open in the same direction, is close to it, and errs on the side of a mode that is given back late.
///
/// What is still open when the process ends gets its mode back then: the shell, or the next command of a pipeline, has it too, and could not use it.
/// </remarks>
internal sealed class SharedMode
{
    private static readonly Lock s_lock = new();
    private static readonly Dictionary<File, SharedMode> s_modes = [];
    private static bool s_isExitWatched;

    private readonly File _file;
    private readonly List<int> _users = [];

    private SharedMode(File file) => _file = file;

    private readonly record struct File(FileIdentity Identity, int AccessMode);

    /// <summary>Makes what is open non-blocking, until <see cref="Leave"/>.</summary>
    /// <param name="fd">The descriptor.</param>
    /// <param name="flags">The flags that it had before.</param>
    /// <returns>Null where it was non-blocking already, and not by us: it stays so.</returns>
    internal static SharedMode? Enter(int fd, out int flags)
    {
        flags = FileDescriptors.GetStatusFlags(fd).ValueOrThrow("fcntl");
        bool isBlocking = (flags & LibC.O_NONBLOCK) == 0;
        lock (s_lock)
        {
            if (!isBlocking && s_modes.Count == 0) return null;
            File file = Identify(fd, flags);
            if (!s_modes.TryGetValue(file, out SharedMode? mode))
            {
                if (!isBlocking) return null;
                s_modes.Add(file, mode = new SharedMode(file));
                WatchExit();
            }

            if (isBlocking) FileDescriptors.SetStatusFlags(fd, flags | LibC.O_NONBLOCK);
            mode._users.Add(fd);
            return mode;
        }
    }

    /// <summary>Gives the mode back, unless another stream relies on it. Called before the descriptor is closed, with whatever was to be sent sent.</summary>
    internal void Leave(int fd)
    {
        lock (s_lock)
        {
            _users.Remove(fd);
            if (_users.Count > 0) return;
            s_modes.Remove(_file);
            GiveBack(fd);
        }
    }

    /// <summary>The process ends, with streams open.</summary>
    private static void GiveAllBack()
    {
        lock (s_lock)
            foreach (SharedMode mode in s_modes.Values) mode._users.ForEach(GiveBack);
    }

    private static void GiveBack(int fd)
    {
        PosixResult flags = FileDescriptors.GetStatusFlags(fd);
        if (flags.IsSuccess) FileDescriptors.SetStatusFlags(fd, flags.Value & ~LibC.O_NONBLOCK);
    }

    private static File Identify(int fd, int flags) => FileDescriptors.Identify(fd) is { } identity
        ? new File(identity, flags & LibC.O_ACCMODE)
        : new File(new FileIdentity(false, ulong.MaxValue, (ulong)fd), 0); // a file by itself

    private static void WatchExit()
    {
        if (s_isExitWatched) return;
        s_isExitWatched = true;
        AppDomain.CurrentDomain.ProcessExit += static (_, _) => GiveAllBack();
    }
}
