using System.Security.Authentication;

namespace Waterspout.Tests.Tls;

public sealed class Tls12ClientEpollReads() : ReadContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls12ClientEpollReadsInto() : ReadIntoContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls12ClientEpollParsers() : ParserContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls12ClientEpollSplits() : SplitContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls12ClientEpollReadsUntil() : ReadUntilContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls12ClientEpollLimits() : LimitContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls12ClientEpollResets() : ResetContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: true), PollerKind.Epoll);
