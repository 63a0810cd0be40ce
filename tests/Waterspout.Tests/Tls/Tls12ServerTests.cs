using System.Security.Authentication;

namespace Waterspout.Tests.Tls;

public sealed class Tls12ServerEpollReads() : ReadContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls12ServerEpollReadsUntil() : ReadUntilContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls12ServerEpollLimits() : LimitContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls12ServerPortableReads() : ReadContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Portable);

public sealed class Tls12ServerPortableReadsUntil() : ReadUntilContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Portable);

public sealed class Tls12ServerPortableLimits() : LimitContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Portable);
