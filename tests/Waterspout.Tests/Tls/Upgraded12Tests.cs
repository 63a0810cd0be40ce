using System.Security.Authentication;

namespace Waterspout.Tests.Tls;

public sealed class Upgraded12EpollReads() : ReadContract(new UpgradedPairs(SslProtocols.Tls12, isClientLeft: true), PollerKind.Epoll);

public sealed class Upgraded12EpollReadsInto() : ReadIntoContract(new UpgradedPairs(SslProtocols.Tls12, isClientLeft: true), PollerKind.Epoll);

public sealed class Upgraded12EpollParsers() : ParserContract(new UpgradedPairs(SslProtocols.Tls12, isClientLeft: true), PollerKind.Epoll);

public sealed class Upgraded12EpollSplits() : SplitContract(new UpgradedPairs(SslProtocols.Tls12, isClientLeft: true), PollerKind.Epoll);

public sealed class Upgraded12EpollReadsUntil() : ReadUntilContract(new UpgradedPairs(SslProtocols.Tls12, isClientLeft: true), PollerKind.Epoll);

public sealed class Upgraded12EpollLimits() : LimitContract(new UpgradedPairs(SslProtocols.Tls12, isClientLeft: true), PollerKind.Epoll);

public sealed class Upgraded12EpollResets() : ResetContract(new UpgradedPairs(SslProtocols.Tls12, isClientLeft: true), PollerKind.Epoll);
