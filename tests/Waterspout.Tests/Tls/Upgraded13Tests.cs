using System.Security.Authentication;

namespace Waterspout.Tests.Tls;

public sealed class Upgraded13EpollReads() : ReadContract(new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);

public sealed class Upgraded13EpollReadsInto() : ReadIntoContract(new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);

public sealed class Upgraded13EpollParsers() : ParserContract(new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);

public sealed class Upgraded13EpollSplits() : SplitContract(new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);

public sealed class Upgraded13EpollReadsUntil() : ReadUntilContract(new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);

public sealed class Upgraded13EpollLimits() : LimitContract(new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);

public sealed class Upgraded13PortableReads() : ReadContract(new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Portable);

public sealed class Upgraded13PortableReadsInto() : ReadIntoContract(new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Portable);

public sealed class Upgraded13PortableParsers() : ParserContract(new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Portable);

public sealed class Upgraded13PortableSplits() : SplitContract(new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Portable);

public sealed class Upgraded13PortableReadsUntil() : ReadUntilContract(new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Portable);

public sealed class Upgraded13PortableLimits() : LimitContract(new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Portable);

public sealed class Upgraded13EpollWrites() : WriteContract(new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);

public sealed class Upgraded13EpollWriteEnds() : WriteEndContract(new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);

public sealed class Upgraded13EpollClosing() : CloseContract(new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);

public sealed class Upgraded13EpollPeerClosing() : PeerCloseContract(new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);

public sealed class Upgraded13EpollOrderlyClosing() : OrderlyCloseContract(new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);

public sealed class Upgraded13EpollBothWays() : DuplexContract(new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);

public sealed class Upgraded13EpollDraining() : DrainContract(new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);

public sealed class Upgraded13EpollCallbacks() : CallbackContract(new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);

public sealed class Upgraded13EpollCancellation() : CancellationContract(new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);

public sealed class Upgraded13EpollRaces() : RaceContract(new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);

public sealed class Upgraded13EpollThreads() : ThreadContract(new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);

public sealed class Upgraded13EpollRandomUse() : RandomContract(new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);

public sealed class Upgraded13EpollResets() : ResetContract(new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);
