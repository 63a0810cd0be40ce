namespace Waterspout.Tests;

public sealed class TcpEpollReads() : ReadContract(new TcpTransport(), PollerKind.Epoll);

public sealed class TcpPortableReads() : ReadContract(new TcpTransport(), PollerKind.Portable);

public sealed class TcpEpollReadsUntil() : ReadUntilContract(new TcpTransport(), PollerKind.Epoll);

public sealed class TcpPortableReadsUntil() : ReadUntilContract(new TcpTransport(), PollerKind.Portable);

public sealed class TcpEpollLimits() : LimitContract(new TcpTransport(), PollerKind.Epoll);

public sealed class TcpPortableLimits() : LimitContract(new TcpTransport(), PollerKind.Portable);
