namespace Waterspout;

/// <summary>The system call that a loop waits with.</summary>
public enum PollerKind
{
    /// <summary>
    /// What the environment variable <c>WATERSPOUT_POLLER</c> says (<c>epoll</c> or <c>portable</c>); otherwise epoll.
    /// </summary>
    Default,

    /// <summary><c>epoll</c>: the cost of a turn does not depend on the number of idle descriptors.</summary>
    Epoll,

    /// <summary>
    /// <c>poll</c>: each turn costs time for every descriptor. For tests, and for containers that forbid epoll. The library itself runs on
    /// Linux only, whatever the poller.
    /// </summary>
    Portable,
}
