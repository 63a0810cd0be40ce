using Waterspout.Interop;

namespace Waterspout.Tests;

/// <summary>Duplicates of open descriptors, as a child process would have.</summary>
internal static class Duplicates
{
    private const int F_DUPFD_CLOEXEC = 1030;

    internal static int Of(int fd) => PosixResult.From(LibC.fcntl(fd, F_DUPFD_CLOEXEC, 0)).ValueOrThrow("fcntl");
}
