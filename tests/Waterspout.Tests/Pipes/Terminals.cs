using System.Runtime.InteropServices;

namespace Waterspout.Tests;

/// <summary>The other side of a pseudo-terminal.</summary>
internal static unsafe partial class Terminals
{
    private const nuint TIOCGPTN = 0x80045430;
    private const nuint TIOCSPTLCK = 0x40045431;

    /// <summary>Where the terminal of a master can be opened.</summary>
    internal static string Unlock(int master)
    {
        int locked = 0;
        int number;
        Assert.Equal(0, ioctl(master, TIOCSPTLCK, &locked));
        Assert.Equal(0, ioctl(master, TIOCGPTN, &number));
        return $"/dev/pts/{number}";
    }

    [LibraryImport("libc")]
    private static partial int ioctl(int fd, nuint request, int* argument);
}
