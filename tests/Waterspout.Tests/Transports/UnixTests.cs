namespace Waterspout.Tests;

public sealed class UnixEpollReads() : ReadContract(new UnixTransport(), PollerKind.Epoll);

public sealed class UnixPortableReads() : ReadContract(new UnixTransport(), PollerKind.Portable);

public sealed class UnixEpollReadsUntil() : ReadUntilContract(new UnixTransport(), PollerKind.Epoll);

public sealed class UnixPortableReadsUntil() : ReadUntilContract(new UnixTransport(), PollerKind.Portable);

public sealed class UnixEpollLimits() : LimitContract(new UnixTransport(), PollerKind.Epoll);

public sealed class UnixPortableLimits() : LimitContract(new UnixTransport(), PollerKind.Portable);
