using System.Security.Authentication;

namespace Waterspout.Tests.Tls;

public sealed class Tls13ClientEpollReads() : ReadContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls13ClientEpollReadsUntil() : ReadUntilContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls13ClientEpollLimits() : LimitContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls13ClientPortableReads() : ReadContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Portable);

public sealed class Tls13ClientPortableReadsUntil() : ReadUntilContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Portable);

public sealed class Tls13ClientPortableLimits() : LimitContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Portable);
