using System.Security.Authentication;

namespace Waterspout.Tests.Tls;

public sealed class Tls13ServerEpollReads() : ReadContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls13ServerEpollReadsInto() : ReadIntoContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls13ServerEpollParsers() : ParserContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls13ServerEpollSplits() : SplitContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls13ServerEpollReadsUntil() : ReadUntilContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls13ServerEpollLimits() : LimitContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls13ServerEpollResets() : ResetContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);
