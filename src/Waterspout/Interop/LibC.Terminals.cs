using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Waterspout.Interop;

// Terminals. The numbers are those of every architecture that .NET runs on, except for ppc64le, whose kernel refuses these calls.
internal static unsafe partial class LibC
{
    internal const nuint TCGETS2 = 0x802C542A;
    internal const nuint TCSETS2 = 0x402C542B;
    internal const nuint TIOCGDEV = 0x80045432;

    // IGNBRK, BRKINT, PARMRK, ISTRIP, INLCR, IGNCR, ICRNL, IXON: what changes or takes away input.
    internal const uint IflagCooked = 0x1 | 0x2 | 0x8 | 0x20 | 0x40 | 0x80 | 0x100 | 0x400;
    internal const uint OPOST = 0x1;

    // ISIG, ICANON, ECHO, ECHONL, IEXTEN: signals, lines and echo.
    internal const uint LflagCooked = 0x1 | ICANON | 0x8 | 0x40 | 0x8000;
    internal const uint CSIZE = 0x30;
    internal const uint CS8 = 0x30;
    internal const uint PARENB = 0x100;
    internal const uint CBAUD = 0x100F;
    internal const uint CIBAUD = 0x100F0000;
    internal const uint BOTHER = 0x1000;
    internal const uint B50 = 0x1;
    internal const uint B57600 = 0x1001;
    internal const int VTIME = 5;
    internal const int VMIN = 6;

    /// <summary>The speeds from B50 to B38400, whose codes follow each other.</summary>
    internal static ReadOnlySpan<uint> SpeedsFrom50 => [50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400];

    /// <summary>The speeds from B57600 to B4000000.</summary>
    internal static ReadOnlySpan<uint> SpeedsFrom57600 =>
    [
        57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000,
    ];

    [InlineArray(19)]
    internal struct c_cc
    {
        private byte _first;
    }

    internal struct termios2
    {
        internal uint c_iflag;
        internal uint c_oflag;
        internal uint c_cflag;
        internal uint c_lflag;
        internal byte c_line;
        internal c_cc c_cc;
        internal uint c_ispeed;
        internal uint c_ospeed;
    }

    [LibraryImport("libc")]
    internal static partial int ioctl(int fd, nuint request, void* argument);
}
