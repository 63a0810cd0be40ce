namespace Waterspout.Interop;

/// <summary>
/// The mode of an open file that streams have made non-blocking, and that others may use too, such as the terminal behind standard input
/// and output.
/// </summary>
/// <remarks>
/// The mode belongs to the open file description, not to the descriptor: duplicates share it, in this process and in others. So a stream
/// may restore it when it closes only if no other stream of ours relies on it. The kernel does not reveal without special rights whether
/// two descriptors are duplicates. Referring to the same file, opened in the same direction, is a close approximation; its only error is to
/// restore the mode late.
///
/// Files that are still open when the process exits get their mode back then: the shell, or the next command of a pipeline, uses them too,
/// and would fail in non-blocking mode.
/// </remarks>
internal sealed class SharedMode
{
    private static readonly Lock s_lock = new();
    private static readonly Dictionary<File, SharedMode> s_modes = [];
    private static bool s_isExitWatched;

    private readonly File _file;
    private readonly List<Descriptor> _users = [];

    private SharedMode(File file) => _file = file;

    private readonly record struct File(FileIdentity Identity, int AccessMode);

    /// <summary>Makes the open file non-blocking, until <see cref="Leave"/>.</summary>
    /// <param name="fd">The descriptor.</param>
    /// <param name="before">How it was opened, and its previous mode.</param>
    /// <returns>Null if it was already non-blocking, and not because of us: it stays so.</returns>
    internal static SharedMode? Enter(Descriptor fd, out OpenMode before)
    {
        before = OpenMode.Of(fd);
        int flags = before.Flags;
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

    /// <summary>
    /// Restores the mode, unless another stream relies on it. Called before the descriptor is closed, when all data has been sent.
    /// </summary>
    internal void Leave(Descriptor fd)
    {
        lock (s_lock)
        {
            _users.Remove(fd);
            if (_users.Count > 0) return;
            s_modes.Remove(_file);
            GiveBack(fd);
        }
    }

    /// <summary>The process exits with streams open.</summary>
    private static void GiveAllBack()
    {
        lock (s_lock)
            foreach (SharedMode mode in s_modes.Values) mode._users.ForEach(GiveBack);
    }

    private static void GiveBack(Descriptor fd)
    {
        PosixResult flags = FileDescriptors.GetStatusFlags(fd);
        if (flags.IsSuccess) FileDescriptors.SetStatusFlags(fd, flags.Value & ~LibC.O_NONBLOCK);
    }

    private static File Identify(Descriptor fd, int flags) => FileDescriptors.Identify(fd) is { } identity
        ? new File(identity, flags & LibC.O_ACCMODE)
        : new File(new FileIdentity(false, ulong.MaxValue, (ulong)fd.Number), 0); // unidentified: never shared

    private static void WatchExit()
    {
        if (s_isExitWatched) return;
        s_isExitWatched = true;
        AppDomain.CurrentDomain.ProcessExit += static (_, _) => GiveAllBack();
    }
}
