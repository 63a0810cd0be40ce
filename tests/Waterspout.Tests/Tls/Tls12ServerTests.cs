using System.Security.Authentication;

namespace Waterspout.Tests.Tls;

public sealed class Tls12ServerEpollReads() : ReadContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls12ServerEpollReadsInto() : ReadIntoContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls12ServerEpollParsers() : ParserContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls12ServerEpollSplits() : SplitContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls12ServerEpollReadsUntil() : ReadUntilContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls12ServerEpollLimits() : LimitContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls12ServerPortableReads() : ReadContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Portable);

public sealed class Tls12ServerPortableReadsInto() : ReadIntoContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Portable);

public sealed class Tls12ServerPortableParsers() : ParserContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Portable);

public sealed class Tls12ServerPortableSplits() : SplitContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Portable);

public sealed class Tls12ServerPortableReadsUntil() : ReadUntilContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Portable);

public sealed class Tls12ServerPortableLimits() : LimitContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Portable);

public sealed class Tls12ServerEpollWrites() : WriteContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls12ServerEpollWriteEnds() : WriteEndContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls12ServerEpollClosing() : CloseContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls12ServerEpollPeerClosing() : PeerCloseContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls12ServerEpollOrderlyClosing() : OrderlyCloseContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls12ServerEpollBothWays() : DuplexContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls12ServerEpollDraining() : DrainContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls12ServerEpollCallbacks() : CallbackContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls12ServerEpollCancellation() : CancellationContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls12ServerEpollRaces() : RaceContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls12ServerEpollThreads() : ThreadContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls12ServerEpollRandomUse() : RandomContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls12ServerEpollResets() : ResetContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Epoll);
