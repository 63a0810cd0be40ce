namespace Waterspout.Polling;

/// <summary>Chooses the poller of a new loop.</summary>
internal static class PollerFactory
{
    internal const string Variable = "WATERSPOUT_POLLER";

    internal static IPoller Create(PollerKind kind) => Resolve(kind) switch
    {
        PollerKind.Epoll when !OperatingSystem.IsLinux() => throw new PlatformNotSupportedException("epoll exists on Linux only."),
        PollerKind.Epoll => new EpollPoller(),
        _ => new PortablePoller(),
    };

    /// <summary>The exception for a descriptor that is always ready, so that readiness carries no information.</summary>
    internal static ArgumentException NotPollable(int fd) =>
        new($"Descriptor {fd} cannot be polled: regular files, directories and devices like /dev/null are always ready. Use a FileStream.");

    private static PollerKind Resolve(PollerKind kind)
    {
        if (kind is PollerKind.Epoll or PollerKind.Portable) return kind;
        if (kind != PollerKind.Default) throw new ArgumentOutOfRangeException(nameof(kind), kind, "There is no such poller.");
        return Environment.GetEnvironmentVariable(Variable) switch
        {
            "epoll" => PollerKind.Epoll,
            "portable" => PollerKind.Portable,
            null or "" => OperatingSystem.IsLinux() ? PollerKind.Epoll : PollerKind.Portable,
            string other => throw new ArgumentException($"{Variable} is '{other}', but must be 'epoll' or 'portable'."),
        };
    }
}
