namespace Waterspout.Tests;

public sealed class PipeEpollReads() : ReadContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipeEpollReadsInto() : ReadIntoContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipeEpollParsers() : ParserContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipeEpollSplits() : SplitContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipePortableReads() : ReadContract(new PipeTransport(), PollerKind.Portable);

public sealed class PipePortableReadsInto() : ReadIntoContract(new PipeTransport(), PollerKind.Portable);

public sealed class PipePortableParsers() : ParserContract(new PipeTransport(), PollerKind.Portable);

public sealed class PipePortableSplits() : SplitContract(new PipeTransport(), PollerKind.Portable);

public sealed class PipeEpollReadsUntil() : ReadUntilContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipePortableReadsUntil() : ReadUntilContract(new PipeTransport(), PollerKind.Portable);

public sealed class PipeEpollLimits() : LimitContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipePortableLimits() : LimitContract(new PipeTransport(), PollerKind.Portable);

public sealed class PipeEpollWrites() : WriteContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipeEpollWriteEnds() : WriteEndContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipePortableWrites() : WriteContract(new PipeTransport(), PollerKind.Portable);

public sealed class PipePortableWriteEnds() : WriteEndContract(new PipeTransport(), PollerKind.Portable);

public sealed class PipeEpollClosing() : CloseContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipeEpollPeerClosing() : PeerCloseContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipeEpollOrderlyClosing() : OrderlyCloseContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipePortableClosing() : CloseContract(new PipeTransport(), PollerKind.Portable);

public sealed class PipePortablePeerClosing() : PeerCloseContract(new PipeTransport(), PollerKind.Portable);

public sealed class PipePortableOrderlyClosing() : OrderlyCloseContract(new PipeTransport(), PollerKind.Portable);

public sealed class PipeEpollCallbacks() : CallbackContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipePortableCallbacks() : CallbackContract(new PipeTransport(), PollerKind.Portable);

public sealed class PipeEpollCancellation() : CancellationContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipeEpollRaces() : RaceContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipePortableCancellation() : CancellationContract(new PipeTransport(), PollerKind.Portable);

public sealed class PipePortableRaces() : RaceContract(new PipeTransport(), PollerKind.Portable);

public sealed class PipeEpollThreads() : ThreadContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipePortableThreads() : ThreadContract(new PipeTransport(), PollerKind.Portable);

public sealed class PipeEpollRandomUse() : RandomContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipePortableRandomUse() : RandomContract(new PipeTransport(), PollerKind.Portable);
