using System.Security.Authentication;

namespace Waterspout.Tests.Tls;

public sealed class Tls13ClientEpollReads() : ReadContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls13ClientEpollReadsInto() : ReadIntoContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls13ClientEpollParsers() : ParserContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls13ClientEpollSplits() : SplitContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls13ClientEpollReadsUntil() : ReadUntilContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls13ClientEpollLimits() : LimitContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls13ClientPortableReads() : ReadContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Portable);

public sealed class Tls13ClientPortableReadsInto() : ReadIntoContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Portable);

public sealed class Tls13ClientPortableParsers() : ParserContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Portable);

public sealed class Tls13ClientPortableSplits() : SplitContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Portable);

public sealed class Tls13ClientPortableReadsUntil() : ReadUntilContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Portable);

public sealed class Tls13ClientPortableLimits() : LimitContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Portable);

public sealed class Tls13ClientEpollWrites() : WriteContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls13ClientEpollWriteEnds() : WriteEndContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls13ClientPortableWrites() : WriteContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Portable);

public sealed class Tls13ClientPortableWriteEnds() : WriteEndContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Portable);

public sealed class Tls13ClientEpollClosing() : CloseContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls13ClientEpollPeerClosing() : PeerCloseContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls13ClientEpollOrderlyClosing() : OrderlyCloseContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls13ClientPortableClosing() : CloseContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Portable);

public sealed class Tls13ClientPortablePeerClosing() : PeerCloseContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Portable);

public sealed class Tls13ClientPortableOrderlyClosing() : OrderlyCloseContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Portable);

public sealed class Tls13ClientEpollBothWays() : DuplexContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls13ClientEpollDraining() : DrainContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls13ClientPortableBothWays() : DuplexContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Portable);

public sealed class Tls13ClientPortableDraining() : DrainContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Portable);

public sealed class Tls13ClientEpollCallbacks() : CallbackContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls13ClientPortableCallbacks() : CallbackContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Portable);

public sealed class Tls13ClientEpollCancellation() : CancellationContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls13ClientEpollRaces() : RaceContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls13ClientPortableCancellation() : CancellationContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Portable);

public sealed class Tls13ClientPortableRaces() : RaceContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Portable);

public sealed class Tls13ClientEpollThreads() : ThreadContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls13ClientPortableThreads() : ThreadContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Portable);

public sealed class Tls13ClientEpollRandomUse() : RandomContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls13ClientPortableRandomUse() : RandomContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Portable);

public sealed class Tls13ClientEpollResets() : ResetContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls13ClientPortableResets() : ResetContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Portable);
