using Waterspout.Interop;

namespace Waterspout.Polling;

/// <summary>Chooses the poller of a new loop.</summary>
internal static class PollerFactory
{
    internal const string Variable = "WATERSPOUT_POLLER";

    /// <exception cref="PlatformNotSupportedException">The system is not Linux, whose calls and numbers are used throughout.</exception>
    internal static IPoller Create(PollerKind kind) => Create(kind, OperatingSystem.IsLinux());

    internal static IPoller Create(PollerKind kind, bool isLinux)
    {
        if (!isLinux) throw new PlatformNotSupportedException("Waterspout runs on Linux only.");
        return Resolve(kind) == PollerKind.Epoll ? new EpollPoller() : new PortablePoller();
    }

    /// <summary>The exception for a descriptor that is always ready, so that readiness carries no information.</summary>
    internal static ArgumentException NotPollable(Descriptor fd) =>
        new($"Descriptor {fd} cannot be polled: {AlwaysReady}", nameof(fd));

    /// <summary>Why something cannot be polled.</summary>
    internal const string AlwaysReady = "regular files, directories and devices like /dev/null are always ready. Use a FileStream.";

    private static PollerKind Resolve(PollerKind kind)
    {
        if (kind is PollerKind.Epoll or PollerKind.Portable) return kind;
        if (kind != PollerKind.Default) throw new ArgumentOutOfRangeException(nameof(kind), kind, "There is no such poller.");
        return Environment.GetEnvironmentVariable(Variable) switch
        {
            "epoll" => PollerKind.Epoll,
            "portable" => PollerKind.Portable,
            null or "" => PollerKind.Epoll,
            string other => throw new ArgumentException($"{Variable} is '{other}', but must be 'epoll' or 'portable'."),
        };
    }
}
