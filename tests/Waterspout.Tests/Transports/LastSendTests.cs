namespace Waterspout.Tests;

public sealed class TcpEpollLastSending() : LastSendContract(new TcpTransport(), PollerKind.Epoll);

public sealed class TcpPortableLastSending() : LastSendContract(new TcpTransport(), PollerKind.Portable);

public sealed class UnixEpollLastSending() : LastSendContract(new UnixTransport(), PollerKind.Epoll);

public sealed class UnixPortableLastSending() : LastSendContract(new UnixTransport(), PollerKind.Portable);

public sealed class PipeEpollLastSending() : LastSendContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipePortableLastSending() : LastSendContract(new PipeTransport(), PollerKind.Portable);

public sealed class ScriptedEpollLastSending() : LastSendContract(new ScriptedTransport(), PollerKind.Epoll);

public sealed class ScriptedPortableLastSending() : LastSendContract(new ScriptedTransport(), PollerKind.Portable);

public sealed class BytewiseEpollLastSending() : LastSendContract(new ScriptedTransport(1), PollerKind.Epoll);

public sealed class BytewisePortableLastSending() : LastSendContract(new ScriptedTransport(1), PollerKind.Portable);
