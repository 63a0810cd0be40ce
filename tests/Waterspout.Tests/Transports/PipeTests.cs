namespace Waterspout.Tests;

public sealed class PipeEpollReads() : ReadContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipePortableReads() : ReadContract(new PipeTransport(), PollerKind.Portable);

public sealed class PipeEpollReadsUntil() : ReadUntilContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipePortableReadsUntil() : ReadUntilContract(new PipeTransport(), PollerKind.Portable);

public sealed class PipeEpollLimits() : LimitContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipePortableLimits() : LimitContract(new PipeTransport(), PollerKind.Portable);
