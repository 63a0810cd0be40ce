namespace Waterspout.Tests;

public sealed class UnixEpollReads() : ReadContract(new UnixTransport(), PollerKind.Epoll);

public sealed class UnixEpollReadsInto() : ReadIntoContract(new UnixTransport(), PollerKind.Epoll);

public sealed class UnixEpollParsers() : ParserContract(new UnixTransport(), PollerKind.Epoll);

public sealed class UnixEpollSplits() : SplitContract(new UnixTransport(), PollerKind.Epoll);

public sealed class UnixPortableReads() : ReadContract(new UnixTransport(), PollerKind.Portable);

public sealed class UnixPortableReadsInto() : ReadIntoContract(new UnixTransport(), PollerKind.Portable);

public sealed class UnixPortableParsers() : ParserContract(new UnixTransport(), PollerKind.Portable);

public sealed class UnixPortableSplits() : SplitContract(new UnixTransport(), PollerKind.Portable);

public sealed class UnixEpollReadsUntil() : ReadUntilContract(new UnixTransport(), PollerKind.Epoll);

public sealed class UnixPortableReadsUntil() : ReadUntilContract(new UnixTransport(), PollerKind.Portable);

public sealed class UnixEpollLimits() : LimitContract(new UnixTransport(), PollerKind.Epoll);

public sealed class UnixPortableLimits() : LimitContract(new UnixTransport(), PollerKind.Portable);

public sealed class UnixEpollWrites() : WriteContract(new UnixTransport(), PollerKind.Epoll);

public sealed class UnixEpollWriteEnds() : WriteEndContract(new UnixTransport(), PollerKind.Epoll);

public sealed class UnixPortableWrites() : WriteContract(new UnixTransport(), PollerKind.Portable);

public sealed class UnixPortableWriteEnds() : WriteEndContract(new UnixTransport(), PollerKind.Portable);

public sealed class UnixEpollClosing() : CloseContract(new UnixTransport(), PollerKind.Epoll);

public sealed class UnixEpollPeerClosing() : PeerCloseContract(new UnixTransport(), PollerKind.Epoll);

public sealed class UnixEpollOrderlyClosing() : OrderlyCloseContract(new UnixTransport(), PollerKind.Epoll);

public sealed class UnixPortableClosing() : CloseContract(new UnixTransport(), PollerKind.Portable);

public sealed class UnixPortablePeerClosing() : PeerCloseContract(new UnixTransport(), PollerKind.Portable);

public sealed class UnixPortableOrderlyClosing() : OrderlyCloseContract(new UnixTransport(), PollerKind.Portable);

public sealed class UnixEpollBothWays() : DuplexContract(new UnixTransport(), PollerKind.Epoll);

public sealed class UnixEpollDraining() : DrainContract(new UnixTransport(), PollerKind.Epoll);

public sealed class UnixPortableBothWays() : DuplexContract(new UnixTransport(), PollerKind.Portable);

public sealed class UnixPortableDraining() : DrainContract(new UnixTransport(), PollerKind.Portable);

public sealed class UnixEpollCallbacks() : CallbackContract(new UnixTransport(), PollerKind.Epoll);

public sealed class UnixPortableCallbacks() : CallbackContract(new UnixTransport(), PollerKind.Portable);

public sealed class UnixEpollCancellation() : CancellationContract(new UnixTransport(), PollerKind.Epoll);

public sealed class UnixEpollRaces() : RaceContract(new UnixTransport(), PollerKind.Epoll);

public sealed class UnixPortableCancellation() : CancellationContract(new UnixTransport(), PollerKind.Portable);

public sealed class UnixPortableRaces() : RaceContract(new UnixTransport(), PollerKind.Portable);

public sealed class UnixEpollThreads() : ThreadContract(new UnixTransport(), PollerKind.Epoll);

public sealed class UnixPortableThreads() : ThreadContract(new UnixTransport(), PollerKind.Portable);

public sealed class UnixEpollRandomUse() : RandomContract(new UnixTransport(), PollerKind.Epoll);

public sealed class UnixPortableRandomUse() : RandomContract(new UnixTransport(), PollerKind.Portable);

public sealed class UnixEpollResets() : ResetContract(new UnixTransport(), PollerKind.Epoll);

public sealed class UnixPortableResets() : ResetContract(new UnixTransport(), PollerKind.Portable);
