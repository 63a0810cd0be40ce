using Waterspout.Interop;

namespace Waterspout.Tests;

/// <summary>Duplicates of open descriptors, as a child process would have.</summary>
internal static class Duplicates
{
    private const int F_DUPFD_CLOEXEC = 1030;

    internal static Descriptor Of(Descriptor fd) => PosixResult.From(LibC.fcntl(fd.Number, F_DUPFD_CLOEXEC, 0)).DescriptorOrThrow("fcntl");
}
