using System.Security.Authentication;

namespace Waterspout.Tests.Tls;

public sealed class LumpsEpollReads() : ReadContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: false, Relaying.InLumps), PollerKind.Epoll);

public sealed class LumpsEpollReadsInto() : ReadIntoContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: false, Relaying.InLumps), PollerKind.Epoll);

public sealed class LumpsEpollParsers() : ParserContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: false, Relaying.InLumps), PollerKind.Epoll);

public sealed class LumpsEpollSplits() : SplitContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: false, Relaying.InLumps), PollerKind.Epoll);

public sealed class LumpsEpollReadsUntil() : ReadUntilContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: false, Relaying.InLumps), PollerKind.Epoll);

public sealed class LumpsEpollLimits() : LimitContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: false, Relaying.InLumps), PollerKind.Epoll);
