namespace Waterspout.Tests;

public sealed class PipeEpollReads() : ReadContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipePortableReads() : ReadContract(new PipeTransport(), PollerKind.Portable);

public sealed class PipeEpollReadsUntil() : ReadUntilContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipePortableReadsUntil() : ReadUntilContract(new PipeTransport(), PollerKind.Portable);

public sealed class PipeEpollLimits() : LimitContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipePortableLimits() : LimitContract(new PipeTransport(), PollerKind.Portable);

public sealed class PipeEpollWrites() : WriteContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipePortableWrites() : WriteContract(new PipeTransport(), PollerKind.Portable);

public sealed class PipeEpollClosing() : CloseContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipePortableClosing() : CloseContract(new PipeTransport(), PollerKind.Portable);

public sealed class PipeEpollCallbacks() : CallbackContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipePortableCallbacks() : CallbackContract(new PipeTransport(), PollerKind.Portable);

public sealed class PipeEpollCancellation() : CancellationContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipePortableCancellation() : CancellationContract(new PipeTransport(), PollerKind.Portable);

public sealed class PipeEpollThreads() : ThreadContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipePortableThreads() : ThreadContract(new PipeTransport(), PollerKind.Portable);

public sealed class PipeEpollRandomUse() : RandomContract(new PipeTransport(), PollerKind.Epoll);

public sealed class PipePortableRandomUse() : RandomContract(new PipeTransport(), PollerKind.Portable);
