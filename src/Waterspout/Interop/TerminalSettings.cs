using System.Runtime.InteropServices;

namespace Waterspout.Interop;

/// <summary>The settings of a terminal: what the kernel's calls read and write, and raw mode.</summary>
/// <remarks>
/// By the kernel's own calls, not those of the C library: only these take any speed, and the library's numbers for speeds have changed
/// between its versions.
/// </remarks>
internal readonly unsafe struct TerminalSettings
{
    private readonly LibC.termios2 _native;

    private TerminalSettings(LibC.termios2 native) => _native = native;

    /// <summary>Bits a second.</summary>
    internal uint Speed => _native.c_ospeed;

    /// <summary>The settings of the terminal behind a descriptor. Fails if it is no terminal.</summary>
    internal static PosixResult Get(Descriptor fd, out TerminalSettings settings)
    {
        // SAFETY: the kernel fills one structure of this size, which is on this stack frame.
        LibC.termios2 native;
        PosixResult result = PosixResult.From(LibC.ioctl(fd.Number, LibC.TCGETS2, &native));
        settings = new TerminalSettings(result.IsSuccess ? native : default);
        return result;
    }

    /// <summary>Sets the terminal, at once.</summary>
    internal PosixResult Set(Descriptor fd)
    {
        // SAFETY: the kernel reads one structure of this size, which is on this stack frame.
        LibC.termios2 native = _native;
        int result;
        do result = LibC.ioctl(fd.Number, LibC.TCSETS2, &native);
        while (result < 0 && Marshal.GetLastSystemError() == (int)Errno.EINTR);
        return PosixResult.From(result);
    }

    /// <summary>
    /// The number of the terminal, the same for each of its names and for both sides of a pseudo-terminal. Fails if it is no terminal.
    /// </summary>
    internal static PosixResult GetDevice(Descriptor fd)
    {
        // SAFETY: the kernel writes one number, which is on this stack frame.
        uint device;
        PosixResult result = PosixResult.From(LibC.ioctl(fd.Number, LibC.TIOCGDEV, &device));
        return result.IsSuccess ? PosixResult.From((nint)device) : result;
    }

    /// <summary>Every byte as it comes, in both directions: what cfmakeraw does.</summary>
    internal TerminalSettings Raw()
    {
        LibC.termios2 native = _native;
        native.c_iflag &= ~LibC.IflagCooked;
        native.c_oflag &= ~LibC.OPOST;
        native.c_lflag &= ~LibC.LflagCooked;
        native.c_cflag = (native.c_cflag & ~(LibC.CSIZE | LibC.PARENB)) | LibC.CS8;
        native.c_cc[LibC.VTIME] = 0;
        native.c_cc[LibC.VMIN] = 1;
        return new TerminalSettings(native);
    }

    /// <summary>The same speed in both directions.</summary>
    internal TerminalSettings WithSpeed(uint speed)
    {
        LibC.termios2 native = _native;
        // No code for the input, which means the speed of the output.
        native.c_cflag = (native.c_cflag & ~(LibC.CBAUD | LibC.CIBAUD)) | CodeOf(speed);
        native.c_ispeed = native.c_ospeed = speed;
        return new TerminalSettings(native);
    }

    /// <summary>Programs that use the C library, such as stty, know the speeds that have a code of their own by that alone.</summary>
    private static uint CodeOf(uint speed)
    {
        int low = LibC.SpeedsFrom50.IndexOf(speed), high = LibC.SpeedsFrom57600.IndexOf(speed);
        if (low >= 0) return LibC.B50 + (uint)low;
        return high >= 0 ? LibC.B57600 + (uint)high : LibC.BOTHER;
    }
}
