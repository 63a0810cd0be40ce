namespace Waterspout.Tests;

public sealed class TcpEpollReads() : ReadContract(new TcpTransport(), PollerKind.Epoll);

public sealed class TcpEpollReadsInto() : ReadIntoContract(new TcpTransport(), PollerKind.Epoll);

public sealed class TcpEpollParsers() : ParserContract(new TcpTransport(), PollerKind.Epoll);

public sealed class TcpEpollSplits() : SplitContract(new TcpTransport(), PollerKind.Epoll);

public sealed class TcpPortableReads() : ReadContract(new TcpTransport(), PollerKind.Portable);

public sealed class TcpPortableReadsInto() : ReadIntoContract(new TcpTransport(), PollerKind.Portable);

public sealed class TcpPortableParsers() : ParserContract(new TcpTransport(), PollerKind.Portable);

public sealed class TcpPortableSplits() : SplitContract(new TcpTransport(), PollerKind.Portable);

public sealed class TcpEpollReadsUntil() : ReadUntilContract(new TcpTransport(), PollerKind.Epoll);

public sealed class TcpPortableReadsUntil() : ReadUntilContract(new TcpTransport(), PollerKind.Portable);

public sealed class TcpEpollLimits() : LimitContract(new TcpTransport(), PollerKind.Epoll);

public sealed class TcpPortableLimits() : LimitContract(new TcpTransport(), PollerKind.Portable);

public sealed class TcpEpollWrites() : WriteContract(new TcpTransport(), PollerKind.Epoll);

public sealed class TcpEpollWriteEnds() : WriteEndContract(new TcpTransport(), PollerKind.Epoll);

public sealed class TcpPortableWrites() : WriteContract(new TcpTransport(), PollerKind.Portable);

public sealed class TcpPortableWriteEnds() : WriteEndContract(new TcpTransport(), PollerKind.Portable);

public sealed class TcpEpollClosing() : CloseContract(new TcpTransport(), PollerKind.Epoll);

public sealed class TcpEpollPeerClosing() : PeerCloseContract(new TcpTransport(), PollerKind.Epoll);

public sealed class TcpEpollOrderlyClosing() : OrderlyCloseContract(new TcpTransport(), PollerKind.Epoll);

public sealed class TcpPortableClosing() : CloseContract(new TcpTransport(), PollerKind.Portable);

public sealed class TcpPortablePeerClosing() : PeerCloseContract(new TcpTransport(), PollerKind.Portable);

public sealed class TcpPortableOrderlyClosing() : OrderlyCloseContract(new TcpTransport(), PollerKind.Portable);

public sealed class TcpEpollBothWays() : DuplexContract(new TcpTransport(), PollerKind.Epoll);

public sealed class TcpEpollDraining() : DrainContract(new TcpTransport(), PollerKind.Epoll);

public sealed class TcpPortableBothWays() : DuplexContract(new TcpTransport(), PollerKind.Portable);

public sealed class TcpPortableDraining() : DrainContract(new TcpTransport(), PollerKind.Portable);

public sealed class TcpEpollCallbacks() : CallbackContract(new TcpTransport(), PollerKind.Epoll);

public sealed class TcpPortableCallbacks() : CallbackContract(new TcpTransport(), PollerKind.Portable);

public sealed class TcpEpollCancellation() : CancellationContract(new TcpTransport(), PollerKind.Epoll);

public sealed class TcpEpollRaces() : RaceContract(new TcpTransport(), PollerKind.Epoll);

public sealed class TcpPortableCancellation() : CancellationContract(new TcpTransport(), PollerKind.Portable);

public sealed class TcpPortableRaces() : RaceContract(new TcpTransport(), PollerKind.Portable);

public sealed class TcpEpollThreads() : ThreadContract(new TcpTransport(), PollerKind.Epoll);

public sealed class TcpPortableThreads() : ThreadContract(new TcpTransport(), PollerKind.Portable);

public sealed class TcpEpollRandomUse() : RandomContract(new TcpTransport(), PollerKind.Epoll);

public sealed class TcpPortableRandomUse() : RandomContract(new TcpTransport(), PollerKind.Portable);

public sealed class TcpEpollResets() : ResetContract(new TcpTransport(), PollerKind.Epoll);

public sealed class TcpPortableResets() : ResetContract(new TcpTransport(), PollerKind.Portable);
