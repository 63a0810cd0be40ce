using System.Runtime.InteropServices;

namespace Waterspout.Interop;

internal static unsafe partial class LibC
{
    // Linux has a different number for each processor family.
    internal static readonly nuint FIONREAD = RuntimeInformation.ProcessArchitecture == Architecture.Ppc64le ? 0x4004667Fu : 0x541Bu;
    internal static readonly nuint TIOCOUTQ = RuntimeInformation.ProcessArchitecture == Architecture.Ppc64le ? 0x40047473u : 0x5411u;

    [LibraryImport("libc")]
    internal static partial int ioctl(int fd, nuint request, int* argument);
}
