using System.Security.Authentication;

namespace Waterspout.Tests.Tls;

public sealed class Tls12ClientEpollLastSending() : LastSendContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls12ClientPortableLastSending() : LastSendContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: true), PollerKind.Portable);

public sealed class Tls12ServerEpollLastSending() : LastSendContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls12ServerPortableLastSending() : LastSendContract(new TlsPairs(SslProtocols.Tls12, isClientLeft: false), PollerKind.Portable);

public sealed class Tls13ClientEpollLastSending() : LastSendContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Epoll);

public sealed class Tls13ClientPortableLastSending() : LastSendContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: true), PollerKind.Portable);

public sealed class Tls13ServerEpollLastSending() : LastSendContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);

public sealed class Tls13ServerPortableLastSending() : LastSendContract(new TlsPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Portable);

public sealed class Upgraded12EpollLastSending() : LastSendContract(new UpgradedPairs(SslProtocols.Tls12, isClientLeft: true), PollerKind.Epoll);

public sealed class Upgraded12PortableLastSending() : LastSendContract(new UpgradedPairs(SslProtocols.Tls12, isClientLeft: true), PollerKind.Portable);

public sealed class Upgraded13EpollLastSending() : LastSendContract(new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Epoll);

public sealed class Upgraded13PortableLastSending() : LastSendContract(new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), PollerKind.Portable);
