using Waterspout.Interop;

namespace Waterspout.Loop;

/// <summary>Tells whether a descriptor can be polled at all.</summary>
internal static class DescriptorProbe
{
    /// <summary>Throws for a descriptor that is always ready, so that readiness means nothing: a regular file, /dev/null.</summary>
    /// <remarks>
    /// Asked of a short-lived epoll, because the kernel's answer (EPERM) is the only one that is right for every kind of
    /// descriptor, and because it must come from the constructor, on whatever thread that runs.
    /// </remarks>
    internal static void ThrowIfNotPollable(int fd)
    {
        using Epoll probe = new(1);
        PosixResult result = probe.Add(fd, (uint)IOEvents.Read, 0);
        if (result.Error == Errno.EPERM) throw NotPollable(fd);
        result.ValueOrThrow($"descriptor {fd}");
    }

    internal static ArgumentException NotPollable(int fd) =>
        new($"Descriptor {fd} cannot be polled: regular files, directories and devices like /dev/null are always ready. Use a FileStream.");
}
