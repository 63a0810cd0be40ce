using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Waterspout.Interop;

/// <summary>Calls that work on any descriptor. Calls interrupted by a signal are retried.</summary>
internal static unsafe class FileDescriptors
{
    // IOV_MAX is 1024 on Linux. Small pieces are copied together before they get here, so a longer vector would save no call worth having,
    // and this one fits on the stack together with its pins.
    internal const int MaxGather = 16;

    [InlineArray(MaxGather)]
    private struct Pins
    {
        private MemoryHandle _first;
    }

    internal static PosixResult Read(Descriptor fd, Span<byte> buffer)
    {
        // SAFETY: the span is pinned for the call, and the descriptor is non-blocking, so the pin is short.
        fixed (byte* start = buffer)
        {
            nint n;
            do n = LibC.read(fd.Number, start, (nuint)buffer.Length);
            while (n < 0 && Marshal.GetLastSystemError() == (int)Errno.EINTR);
            return PosixResult.From(n);
        }
    }

    internal static PosixResult Write(Descriptor fd, ReadOnlySpan<byte> data)
    {
        // SAFETY: the span is pinned for the call; the kernel keeps no reference to it afterwards.
        fixed (byte* start = data)
        {
            nint n;
            do n = LibC.write(fd.Number, start, (nuint)data.Length);
            while (n < 0 && Marshal.GetLastSystemError() == (int)Errno.EINTR);
            return PosixResult.From(n);
        }
    }

    /// <summary>Writes several buffers in one call: <c>sendmsg</c> on a socket (writev has no MSG_NOSIGNAL), else <c>writev</c>.</summary>
    internal static PosixResult Gather(Descriptor fd, ReadOnlySpan<ReadOnlyMemory<byte>> buffers, bool isSocket)
    {
        int count = Math.Min(buffers.Length, MaxGather);
        Pins pins = default;

        // SAFETY: each buffer is pinned until after the call, and the vector is on this stack frame.
        LibC.iovec* vector = stackalloc LibC.iovec[count];
        try
        {
            for (int i = 0; i < count; i++)
            {
                pins[i] = buffers[i].Pin();
                vector[i] = new LibC.iovec { iov_base = pins[i].Pointer, iov_len = (nuint)buffers[i].Length };
            }

            nint n;
            do n = isSocket ? SendVector(fd, vector, count) : LibC.writev(fd.Number, vector, count);
            while (n < 0 && Marshal.GetLastSystemError() == (int)Errno.EINTR);
            return PosixResult.From(n);
        }
        finally
        {
            for (int i = 0; i < count; i++) pins[i].Dispose();
        }
    }

    /// <summary>
    /// Closes the descriptor. Never retried: on Linux the number is free even if close returns EINTR, and may already belong to another
    /// thread's file.
    /// </summary>
    internal static void Close(Descriptor fd) => _ = LibC.close(fd.Number);

    /// <summary>Creates the object that will own the descriptor. If that fails, the descriptor is closed.</summary>
    internal static T HandOver<T>(Descriptor fd, Func<Descriptor, T> make)
    {
        try
        {
            return make(fd);
        }
        catch
        {
            Close(fd);
            throw;
        }
    }

    internal static Descriptor Open(string path, OpenMode mode) => Open(path, mode.Flags);

    internal static Descriptor Open(string path, int flags)
    {
        int opened;
        do opened = LibC.open(path, flags | LibC.O_CLOEXEC);
        while (opened < 0 && Marshal.GetLastSystemError() == (int)Errno.EINTR);
        return PosixResult.From(opened).DescriptorOrThrow($"open {path}");
    }

    /// <summary>The file at a path; a symbolic link is not followed. Null if there is none, or the system cannot say.</summary>
    internal static FileIdentity? Identify(string path) => Identify(LibC.AT_FDCWD, path, LibC.AT_SYMLINK_NOFOLLOW);

    /// <summary>The open file. Null if the system cannot say.</summary>
    internal static FileIdentity? Identify(Descriptor fd) => Identify(fd.Number, "", LibC.AT_EMPTY_PATH);

    private static FileIdentity? Identify(int folder, string path, int flags)
    {
        if (!TryGetStatus(folder, path, flags, LibC.STATX_TYPE | LibC.STATX_INO, out LibC.statxbuf status)) return null;
        bool isSocket = (status.stx_mode & LibC.S_IFMT) == LibC.S_IFSOCK;
        return new FileIdentity(isSocket, ((ulong)status.stx_dev_major << 32) | status.stx_dev_minor, status.stx_ino);
    }

    /// <summary>
    /// True for a regular file, a directory, a disk, or a memory device such as /dev/null. False if the system cannot say.
    /// </summary>
    internal static bool IsAlwaysReady(Descriptor fd)
    {
        if (!TryGetStatus(fd.Number, "", LibC.AT_EMPTY_PATH, LibC.STATX_TYPE, out LibC.statxbuf status)) return false;
        return (status.stx_mode & LibC.S_IFMT) switch
        {
            LibC.S_IFREG or LibC.S_IFDIR or LibC.S_IFBLK => true,
            LibC.S_IFCHR => status.stx_rdev_major == LibC.MEM_MAJOR && status.stx_rdev_minor is not (LibC.RANDOM_MINOR or LibC.KMSG_MINOR),
            _ => false,
        };
    }

    private static bool TryGetStatus(int folder, string path, int flags, uint mask, out LibC.statxbuf status)
    {
        // SAFETY: statx fills one structure of its fixed 256 bytes, which is on this stack frame.
        LibC.statxbuf found = default;
        try
        {
            return LibC.statx(folder, path, flags, mask, &found) == 0;
        }
        catch (EntryPointNotFoundException)
        {
            return false; // a C library older than the call
        }
        finally
        {
            status = found;
        }
    }

    internal static (Descriptor Reader, Descriptor Writer) CreatePipe()
    {
        // SAFETY: pipe2 writes exactly two ints into the array on this stack frame.
        int* ends = stackalloc int[2];
        PosixResult.From(LibC.pipe2(ends, LibC.O_CLOEXEC | LibC.O_NONBLOCK)).ValueOrThrow("pipe2");
        return (new Descriptor(ends[0]), new Descriptor(ends[1]));
    }

    /// <summary>A new number for the same file, closed on exec.</summary>
    internal static Descriptor Duplicate(Descriptor fd) =>
        PosixResult.From(LibC.fcntl(fd.Number, LibC.F_DUPFD_CLOEXEC, 0)).DescriptorOrThrow("fcntl");

    /// <summary>Child processes do not inherit it.</summary>
    internal static void CloseOnExec(Descriptor fd) => _ = LibC.fcntl(fd.Number, LibC.F_SETFD, LibC.FD_CLOEXEC);

    internal static PosixResult GetStatusFlags(Descriptor fd) => PosixResult.From(LibC.fcntl(fd.Number, LibC.F_GETFL, 0));

    internal static void SetStatusFlags(Descriptor fd, int flags) => _ = LibC.fcntl(fd.Number, LibC.F_SETFL, flags);

    internal static bool IsTerminal(Descriptor fd) => LibC.isatty(fd.Number) == 1;

    /// <summary>
    /// The terminal is not in canonical (line) mode. In canonical mode, a read that returns zero is an EOF typed by the user.
    /// </summary>
    internal static bool IsTerminalWithoutLines(Descriptor fd)
    {
        // SAFETY: struct termios is 60 bytes on Linux, 72 on other systems, and is on this stack frame.
        byte* settings = stackalloc byte[128];
        return LibC.tcgetattr(fd.Number, settings) == 0 && (((uint*)settings)[LibC.TERMIOS_LFLAG] & LibC.ICANON) == 0;
    }

    /// <summary>Sets O_NONBLOCK, and returns the previous flags.</summary>
    internal static int SetNonBlocking(Descriptor fd)
    {
        int flags = GetStatusFlags(fd).ValueOrThrow("fcntl");
        if ((flags & LibC.O_NONBLOCK) == 0) SetStatusFlags(fd, flags | LibC.O_NONBLOCK);
        return flags;
    }

    private static nint SendVector(Descriptor fd, LibC.iovec* vector, int count)
    {
        // SAFETY: the header is on this stack frame, and the caller keeps the vector and its buffers in place.
        LibC.msghdr message = default;
        message.msg_iov = vector;
        message.msg_iovlen = (nuint)count;
        return LibC.sendmsg(fd.Number, (LibC.msghdr*)Unsafe.AsPointer(ref message), LibC.MSG_NOSIGNAL | LibC.MSG_DONTWAIT);
    }
}

/// <summary>Identifies a file independently of its name. A number is not reused while the file is open.</summary>
internal readonly record struct FileIdentity(bool IsSocket, ulong Device, ulong Number);
