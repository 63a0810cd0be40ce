namespace Waterspout.Interop;

/// <summary>The blocking mode of files that others may have open too, such as the terminal behind standard input and output.</summary>
/// <remarks>
/// The mode belongs to what is open, and not to the descriptor: duplicates share it, in this process and in others. So a stream that leaves may give
/// it back only when no other stream of ours relies on it. Whether two descriptors are duplicates the kernel tells nobody without special rights;
/// that they are of the same file, open in the same direction, is close to it, and errs on the side of a mode that is given back late.
///
/// What is still open when the process ends gets its mode back then: the shell, or the next command of a pipeline, has it too, and could not use it.
/// </remarks>
internal static class SharedModes
{
    private static readonly Lock s_lock = new();
    private static readonly Dictionary<int, File> s_files = [];
    private static readonly Dictionary<File, int> s_users = [];
    private static bool s_isExitWatched;

    private readonly record struct File(ulong Device, ulong Inode, int AccessMode);

    /// <summary>Makes what is open non-blocking, until <see cref="Leave"/>.</summary>
    /// <returns>The flags that it had before.</returns>
    internal static int Enter(int fd)
    {
        int flags = FileDescriptors.GetStatusFlags(fd).ValueOrThrow("fcntl");
        bool isBlocking = (flags & LibC.O_NONBLOCK) == 0;
        lock (s_lock)
        {
            // Non-blocking already, and not by us: it stays so.
            if (!isBlocking && s_users.Count == 0) return flags;
            File file = Identify(fd, flags);
            int users = s_users.GetValueOrDefault(file);
            if (!isBlocking && users == 0) return flags;
            if (isBlocking) FileDescriptors.SetStatusFlags(fd, flags | LibC.O_NONBLOCK);
            s_users[file] = users + 1;
            s_files[fd] = file;
            WatchExit();
        }

        return flags;
    }

    /// <summary>Gives the mode back, unless another stream relies on it. Called before the descriptor is closed, with whatever was to be sent sent.</summary>
    internal static void Leave(int fd)
    {
        lock (s_lock)
        {
            if (!s_files.Remove(fd, out File file)) return;
            if (--s_users[file] > 0) return;
            s_users.Remove(file);
            GiveBack(fd);
        }
    }

    /// <summary>The process ends, with streams open.</summary>
    internal static void GiveAllBack()
    {
        lock (s_lock)
            foreach (int fd in s_files.Keys) GiveBack(fd);
    }

    private static void GiveBack(int fd)
    {
        PosixResult flags = FileDescriptors.GetStatusFlags(fd);
        if (flags.IsSuccess) FileDescriptors.SetStatusFlags(fd, flags.Value & ~LibC.O_NONBLOCK);
    }

    private static File Identify(int fd, int flags) => FileDescriptors.TryIdentify(fd, out ulong device, out ulong inode)
        ? new File(device, inode, flags & LibC.O_ACCMODE)
        : new File(ulong.MaxValue, (ulong)fd, 0); // a file by itself

    private static void WatchExit()
    {
        if (s_isExitWatched) return;
        s_isExitWatched = true;
        AppDomain.CurrentDomain.ProcessExit += static (_, _) => GiveAllBack();
    }
}
