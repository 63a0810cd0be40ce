using System.Security.Authentication;

namespace Waterspout.Tests.Tls;

public sealed class BytewiseEpollReads() : ReadContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true, Relaying.Bytewise), PollerKind.Epoll);

public sealed class BytewiseEpollReadsInto() : ReadIntoContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true, Relaying.Bytewise), PollerKind.Epoll);

public sealed class BytewiseEpollParsers() : ParserContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true, Relaying.Bytewise), PollerKind.Epoll);

public sealed class BytewiseEpollSplits() : SplitContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true, Relaying.Bytewise), PollerKind.Epoll);

public sealed class BytewiseEpollReadsUntil() : ReadUntilContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true, Relaying.Bytewise), PollerKind.Epoll);

public sealed class BytewiseEpollLimits() : LimitContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true, Relaying.Bytewise), PollerKind.Epoll);

public sealed class BytewisePortableReads() : ReadContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true, Relaying.Bytewise), PollerKind.Portable);

public sealed class BytewisePortableReadsInto() : ReadIntoContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true, Relaying.Bytewise), PollerKind.Portable);

public sealed class BytewisePortableParsers() : ParserContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true, Relaying.Bytewise), PollerKind.Portable);

public sealed class BytewisePortableSplits() : SplitContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true, Relaying.Bytewise), PollerKind.Portable);

public sealed class BytewisePortableReadsUntil() : ReadUntilContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true, Relaying.Bytewise), PollerKind.Portable);

public sealed class BytewisePortableLimits() : LimitContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true, Relaying.Bytewise), PollerKind.Portable);
