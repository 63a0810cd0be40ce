namespace Waterspout;

/// <summary>The system call that a loop waits with.</summary>
public enum PollerKind
{
    /// <summary>
    /// What the environment variable <c>WATERSPOUT_POLLER</c> says (<c>epoll</c> or <c>portable</c>); otherwise epoll on Linux and the
    /// portable one elsewhere.
    /// </summary>
    Default,

    /// <summary><c>epoll</c>: Linux only; the cost of a turn does not depend on the number of idle descriptors.</summary>
    Epoll,

    /// <summary><c>poll</c>: any POSIX system; each turn costs time for every descriptor.</summary>
    Portable,
}
