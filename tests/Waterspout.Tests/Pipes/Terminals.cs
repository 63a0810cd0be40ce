using System.Runtime.InteropServices;
using Waterspout.Interop;

namespace Waterspout.Tests;

/// <summary>The other side of a pseudo-terminal.</summary>
internal static unsafe partial class Terminals
{
    private const nuint TIOCGPTN = 0x80045430;
    private const nuint TIOCSPTLCK = 0x40045431;

    /// <summary>The path of a master's terminal.</summary>
    internal static string Unlock(Descriptor master)
    {
        int locked = 0;
        int number;
        Assert.Equal(0, ioctl(master.Number, TIOCSPTLCK, &locked));
        Assert.Equal(0, ioctl(master.Number, TIOCGPTN, &number));
        return $"/dev/pts/{number}";
    }

    /// <summary>The way many libraries set a serial line: every byte as it comes, and zero if there is none.</summary>
    internal static void SetToPolling(Descriptor terminal)
    {
        byte* settings = stackalloc byte[128];
        Assert.Equal(0, tcgetattr(terminal.Number, settings));
        cfmakeraw(settings);
        settings[17 + 5] = settings[17 + 6] = 0; // VTIME, VMIN
        Assert.Equal(0, tcsetattr(terminal.Number, 0, settings));
    }

    /// <summary>All settings, as the C library has them.</summary>
    internal static string Describe(int terminal)
    {
        byte* settings = stackalloc byte[128];
        new Span<byte>(settings, 128).Clear();
        Assert.Equal(0, tcgetattr(terminal, settings));
        return Convert.ToHexString(new ReadOnlySpan<byte>(settings, 60));
    }

    [LibraryImport("libc")]
    private static partial int tcgetattr(int fd, byte* termios);

    [LibraryImport("libc")]
    private static partial int tcsetattr(int fd, int actions, byte* termios);

    [LibraryImport("libc")]
    private static partial void cfmakeraw(byte* termios);

    [LibraryImport("libc")]
    private static partial int ioctl(int fd, nuint request, int* argument);
}
